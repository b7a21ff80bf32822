import { isUtf8 } from 'node:buffer'
import { badMessage } from '../base/errors/status.ts'
import { bodyText, type Codec } from './codec.ts'
import { unixLines } from './xml/line-ends.ts'
import { readXml } from './xml/reader.ts'
import { writeXml } from './xml/writer.ts'

/**
 * XML as Go's encoding/xml writes it (docs/spec/wire.md#codecs): no header, no indentation. Without Go's types this is
 * the mapping, the same in both directions:
 *
 * - `{ order: { '@id': '7', item: ['tea', 'milk'], note: { '@lang': 'en', '#text': 'soon' } } }` is `<order
 *   id="7"><item>tea</item><item>milk</item><note lang="en">soon</note></order>`: one key, the root; `@` for
 *   attributes, a list for elements of one name, `#text` beside attributes or elements. An element with nothing but
 *   text is that text.
 * - A bare value is the element Go makes of it: `'a'` is `<string>a</string>`, 5 `<int>5</int>`, 0.5
 *   `<float64>0.5</float64>`, true `<bool>true</bool>`; and such a root is read as that value (a number over 2^53 as a
 *   BigInt). null is an empty body.
 * - Everything inside of another root is read as text, since XML does not give its type: one element of a name as
 *   itself and no list, an empty one as ''. Text and elements that alternate lose their order. White space between
 *   elements and comments are left out.
 * - Objects that are read have no prototype. When writing, null is an empty element, undefined is left out, a Date is
 *   its ISO text, `toJSON` counts as in JSON.
 * - Refused: a DOCTYPE, entities besides the five of XML, other encodings than UTF-8, elements nested deeper than
 *   `maxDepth`.
 */
export const xmlCodec: Codec = {
  id: 120,
  name: 'xml',

  encode: writeXml,

  decode(buffer, start, end, hint, limits) {
    const body = unixLines(buffer.subarray(start, end))
    const text = bodyText(body, 0, body.length, hint)
    // U+FFFD was either sent, or stands for invalid UTF-8.
    if (text.includes('\ufffd') && !isUtf8(body)) throw badMessage('xml: invalid UTF-8')
    return readXml(text, limits.maxDepth)
  },
}
