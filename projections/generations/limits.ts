/** Every limit of projections/generations. What is beyond them is the oldest, and of no use to anybody. */
export const BOOK_LIMITS = {
  generationsMax: 200,
  promotionsMax: 200,
} as const
