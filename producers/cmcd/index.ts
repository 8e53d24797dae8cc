/** CMCD, from text to events: pure. What players get wrong is told by codes (reading.ts), and costs only itself. */
export { cmcdOfUrl, countRecords, readHeaders, readQuery, readRecord, readReports } from './decode.ts'
export { FAULTS_KEY, protocolOf, streamTypeOf } from './fields.ts'
export { CMCD_LIMITS } from './limits.ts'
export type { CmcdValue, FaultCode, Reading } from './reading.ts'
export { FAULTS } from './reading.ts'
export { cmcdReport, type NewContext } from './report.ts'
export { cmcdRequest, type RequestLine, responseOf, withoutQuery } from './request.ts'
export { anonymousProfile, recordId, sessionOfRecord, titleOfRecord, UNKNOWN_TITLE } from './who.ts'
