import type { Map as MapLibre } from 'maplibre-gl'

/** Pixels, at twice the density. */
const SIZE = 64

/** Draws the wedge that shows where a client is heading, as one picture that may have any color. */
export function addHeading(map: MapLibre): void {
  const canvas = document.createElement('canvas')
  canvas.width = SIZE
  canvas.height = SIZE
  const context = canvas.getContext('2d')
  if (context === null) return
  context.beginPath()
  context.moveTo(SIZE / 2, 2)
  context.lineTo(SIZE / 2 + 11, 21)
  context.lineTo(SIZE / 2, 17)
  context.lineTo(SIZE / 2 - 11, 21)
  context.closePath()
  context.fill()
  map.addImage('heading', context.getImageData(0, 0, SIZE, SIZE), { pixelRatio: 2, sdf: true })
}
