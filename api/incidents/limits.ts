/** Every limit of the incidents' routes, by name. */
export const INCIDENT_ROUTE_LIMITS = {
  listedMax: 1_000,
  listedDefault: 100,
  /** Rows that are looked through for a list; incidents are few. */
  scannedMax: 100_000,
} as const
