type Language = 'ts' | 'js'

/** The facts that differ between applications. */
export interface ApplicationShape {
  readonly name: string
  /** Version of this package. */
  readonly version: string
  readonly language: Language
}

/** Folder of the files that run. */
export function programFolder(language: Language): string {
  return language === 'ts' ? 'dist' : 'src'
}
