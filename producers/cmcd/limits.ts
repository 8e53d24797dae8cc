/** Every limit of producers/cmcd/, by name, in one place. The lengths that CTA-5004-B gives are in vocabulary.ts. */
export const CMCD_LIMITS = {
  /** One record as it came; a longer one is left out, and its raw text would not fit into an event. */
  recordCharsMax: 8_192,
  /** Records of one body; what comes after them is not read. */
  recordsPerBodyMax: 500,
  /** Keys of one record; further ones are left out. */
  keysPerRecordMax: 96,
  /** Items of one list, parameters of one item. */
  itemsPerListMax: 64,
  parametersMax: 8,
  keyCharsMax: 64,
  /** Faults that one record tells of. */
  faultsPerRecordMax: 16,
  /** Of what a fault quotes. */
  gotCharsMax: 64,
  /** As CmcdReport.avsc and CmcdRequest.avsc have them. */
  sessionCharsMax: 128,
  titleCharsMax: 128,
  textCharsMax: 256,
  urlCharsMax: 2_048,
  keysInEventMax: 64,
  keyValueCharsMax: 1_024,
  errorCodesMax: 32,
  errorCodeCharsMax: 128,
  tokenCharsMax: 64,
  methodCharsMax: 16,
  statusMax: 999,
  int32Max: 2 ** 31 - 1,
  rateMaxPermille: 100_000,
  /** A playhead beyond three years is a wall clock's time (live streams), and no place to resume. */
  positionMaxMs: 100_000_000_000,
  /** As RFC 8941 has it. */
  integerMax: 999_999_999_999_999,
} as const
