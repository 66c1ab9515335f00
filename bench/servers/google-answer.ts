/** What the stand-in for Google always answers: 20 places with the fields of Nearby Search (legacy), 41 kB. Pure. */
const ITEMS = 20

/** A body as Google writes it: three blanks for each level. */
export function googleAnswer(): string {
  const body = { html_attributions: [], results: Array.from({ length: ITEMS }, result), status: 'OK' }
  return `${JSON.stringify(body, null, 3)}\n`
}

function result(_: unknown, index: number): object {
  const [lat, lng] = [34.068_93 + index / 1000, -118.445_127 - index / 1000]
  const id = `ChIJ${String(index).padStart(23, '0')}`
  const around = 0.001_349
  return {
    business_status: 'OPERATIONAL',
    geometry: {
      location: { lat, lng },
      viewport: {
        northeast: { lat: lat + around, lng: lng + around },
        southwest: { lat: lat - around, lng: lng - around },
      },
    },
    icon: 'https://maps.gstatic.com/mapfiles/place_api/icons/v1/png_71/museum-71.png',
    icon_background_color: '#13B5C7',
    icon_mask_base_uri: 'https://maps.gstatic.com/mapfiles/place_api/icons/v2/museum_pinlet',
    name: `Museum of Things, No. ${index}`,
    opening_hours: { open_now: index % 2 === 0 },
    photos: [
      {
        height: 3024,
        html_attributions: [`<a href="https://maps.example.org/contrib/${index}">A visitor</a>`],
        photo_reference: 'A'.repeat(300),
        width: 4032,
      },
    ],
    place_id: id,
    plus_code: { compound_code: '3H93+HX Los Angeles, California', global_code: '85633H93+HX' },
    price_level: index % 4,
    rating: 4.5,
    reference: id,
    scope: 'GOOGLE',
    types: ['museum', 'tourist_attraction', 'point_of_interest', 'establishment'],
    user_ratings_total: 1000 + index,
    vicinity: `${100 + index} Charles E Young Drive North, Los Angeles`,
  }
}
