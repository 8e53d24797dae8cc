/** Every limit of api/web/, by name, in one place. */
export const WEB_LIMITS = {
  /** A path is at most so many names long: assets lie flat, media in one folder for each rendition. */
  segmentsMax: 4,
  nameCharsMax: 100,
  /** A browser asks again whether a page is still the same; for so long it doesn't. */
  assetMaxAgeS: 0,
  /** A clip is made once and stays as it is; made anew, its playlists have other bytes and so another tag. */
  mediaMaxAgeS: 60,
} as const
