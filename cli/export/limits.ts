/** Every limit of an export, by name, in one place. Memory does not grow with it: a file is streamed. */
export const EXPORT_LIMITS = {
  /** One line for each day: ten thousand years of them. */
  manifestBytesMax: 512 * 1024 * 1024,
} as const
