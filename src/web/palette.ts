/** The colors of the map, dark and light; those of the page are in style.css. Text has at least 4.5 : 1 on what lies under it. */

/** All colors of a map. */
export interface Palette {
  readonly water: string
  readonly land: string
  readonly border: string
  readonly coast: string
  readonly graticule: string
  readonly town: string
  readonly country: string
  readonly halo: string
  readonly accent: string
  readonly place: string
  readonly stale: string
  readonly label: string
  readonly labelHalo: string
  /** Of servers: `COLORS` of them. */
  readonly servers: readonly string[]
  /** Of street tiles. */
  readonly street: string
  readonly streetCase: string
  readonly building: string
  readonly green: string
}

/** By the name of the theme. */
export const palettes: Readonly<Record<'dark' | 'light', Palette>> = {
  light: {
    water: '#d3e1e8',
    land: '#f8f6f1',
    border: '#d0c8ba',
    coast: '#aebfc7',
    graticule: 'rgba(60, 100, 125, 0.10)',
    town: '#4d5864',
    country: '#69655d',
    halo: 'rgba(248, 246, 241, 0.9)',
    accent: '#0b5fff',
    place: '#9a3412',
    stale: '#6b7280',
    label: '#17202a',
    labelHalo: '#ffffff',
    servers: ['#0b66d8', '#c2410c', '#0a7d57', '#8a35c9', '#b8105c', '#7c5c00', '#0a7288', '#4b5563'],
    street: '#ffffff',
    streetCase: '#d9d2c5',
    building: '#ebe5da',
    green: '#e3ecd6',
  },
  dark: {
    water: '#0e1822',
    land: '#1a2530',
    border: '#313e4c',
    coast: '#33424f',
    graticule: 'rgba(150, 185, 215, 0.07)',
    town: '#a9b6c3',
    country: '#8d9aa8',
    halo: 'rgba(15, 22, 30, 0.9)',
    accent: '#7db4ff',
    place: '#ffb27a',
    stale: '#8b98a6',
    label: '#eef4fa',
    labelHalo: '#0a1017',
    servers: ['#5aa9ff', '#ff9a5c', '#45d29c', '#c79bff', '#ff7fb8', '#e8c547', '#4fd3e6', '#b3bfcb'],
    street: '#2b3846',
    streetCase: '#10171f',
    building: '#1d2833',
    green: '#16251f',
  },
}
