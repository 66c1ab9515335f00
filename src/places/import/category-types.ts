/** Google types of the categories of Overture and Foursquare, which have names of their own. Pure. */

const POINT_OF_INTEREST = ['point_of_interest', 'establishment']

/** What their words for the commonest are called by Google. A category that isn't listed is a type by its own name. */
const TYPES: Readonly<Record<string, string>> = {
  accommodation: 'lodging',
  art_museum: 'museum',
  auto_repair: 'car_repair',
  automotive_repair: 'car_repair',
  bank_credit_union: 'bank finance',
  banks: 'bank finance',
  bed_and_breakfast: 'lodging',
  bookstore: 'book_store',
  burger_restaurant: 'restaurant food',
  cafe: 'cafe food',
  christian_church: 'church place_of_worship',
  church_cathedral: 'church place_of_worship',
  clothing_store: 'clothing_store store',
  coffee_shop: 'cafe food',
  college_university: 'university',
  convenience_store: 'convenience_store store',
  fast_food_restaurant: 'meal_takeaway restaurant food',
  fuel_station: 'gas_station',
  furniture_home_store: 'furniture_store store',
  furniture_store: 'furniture_store store',
  grocery_store: 'grocery_or_supermarket food store',
  gym_fitness_center: 'gym',
  hair_salon: 'hair_care',
  hindu_temple: 'hindu_temple place_of_worship',
  history_museum: 'museum',
  hotel: 'lodging',
  landmark_and_historical_building: 'tourist_attraction',
  mosque: 'mosque place_of_worship',
  pizza_restaurant: 'restaurant food',
  shopping: 'store',
  supermarket: 'supermarket grocery_or_supermarket food store',
  synagogue: 'synagogue place_of_worship',
  train_station: 'train_station',
}

/** `Fast Food Restaurant`, `fast-food restaurant` and `fast_food_restaurant`, from specific to general. */
export function typesOfCategories(categories: readonly string[]): readonly string[] {
  const types = new Set<string>()
  for (const category of categories) {
    const name = category
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^_+|_+$/g, '')
    if (name === '') continue
    const known = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined
    for (const type of (known ?? name).split(' ')) types.add(type)
    // `thai_restaurant`, `shoe_store`: the last word is the general type.
    if (name.endsWith('_restaurant')) types.add('restaurant').add('food')
    if (name.endsWith('_store') || name.endsWith('_shop')) if (known === undefined) types.add('store')
  }
  for (const type of POINT_OF_INTEREST) types.delete(type)
  return [...types, ...POINT_OF_INTEREST]
}
