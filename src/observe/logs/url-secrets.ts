import { HIDDEN, secretKey } from '../../base/text/secrets.ts'

/** The user and password of a URL within a text. */
const userinfo = /:\/\/[^\s/?#"'<>]*@/g
/** A key and its value in the query of a URL. */
const parameter = /([?&])([^\s=&?#]+)=([^\s&#"'<>]+)/g

/** A text whose URLs show no user, no password, and no value in their query whose key looks like a secret. */
export function hideInUrls(text: string): string {
  if (!text.includes('://')) return text
  return text
    .replace(userinfo, `://${HIDDEN}@`)
    .replace(parameter, (whole, before: string, key: string) => (secretKey.test(key) ? `${before}${key}=${HIDDEN}` : whole))
}
