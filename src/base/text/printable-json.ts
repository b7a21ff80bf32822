/** JSON for a terminal: what steers one and JSON leaves as it is gets JSON's escapes, so that it says the same. */
export function printableJson(json: string): string {
  return json.replace(/[\u007f-\u009f\p{Bidi_Control}]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
