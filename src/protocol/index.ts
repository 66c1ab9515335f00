export {
  ATTRIBUTES_BYTES_MAX,
  type Attributes,
  AttributesInvalid,
  readAttributes,
  writeAttributes,
} from './attributes.ts'
export { DIGIT_0, IS_WHITE, LF, QUESTION, SPACE } from './byte-classes.ts'
export { type CommandKind, CommandParser } from './command-parser.ts'
export { appendFields, type Fields, fieldEnd, fieldStart } from './fields.ts'
export { type Framed, LineFramer } from './line-framer.ts'
export {
  type AckLevel,
  ALL_ITEMS,
  ITEMS_MAX,
  NO_STAMP_ALIAS,
  parseAckLevel,
  RADIUS_KM_MAX,
  STAMP_ALIAS_END,
  STAMP_BYTES_MAX,
  STAMP_SEQ_END,
  writeStamp,
} from './operands.ts'
export { copyBytes, OutputBuffer } from './output-buffer.ts'
export { KEYWORD_LENGTH_MAX, NO_PLACES_OPERANDS, type PlacesOperands } from './places-operands.ts'
export { type Position, readPosition } from './position.ts'
export {
  compareTimes,
  formatTime,
  type Nanotime,
  readSkew,
  readTime,
  SKEW_BYTES_MAX,
  setDifference,
  TIME_SECONDS_END,
  writeSkew,
} from './time.ts'
