/** Every limit of a comparison, by name, in one place. */
export const COMPARE_LIMITS = {
  /** Default of --top. */
  groups: 20,
  groupsMax: 1_000,
  /** Numbers that differ by less than this share are called the same. */
  sameShare: 0.005,
} as const
