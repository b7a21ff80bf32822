import { matches, Tier, type Wildcard, wildcardOf } from './names.ts'
import { type AnyListener, type Registration, type Step, stepOf } from './subscription.ts'

/** Most names whose plans are kept. Programs that put ids into names would otherwise fill the memory. */
const MAX_PLANS = 4096

/** The listeners of one name, in their order. */
export interface Plan {
  /** The name itself, where an alias was asked for. */
  readonly name: string
  readonly steps: readonly Step[]
  /** The functions of the steps, in a list of their own because it is faster to walk. */
  readonly calls: readonly AnyListener[]
  /** Data of the event that was registered by this name. */
  readonly registered: object | undefined
  /** Whether listeners were added or removed since. */
  stale: boolean
}

interface WildcardList extends Wildcard {
  readonly list: Set<Registration>
}

/** Listeners by what they listen to, and the order in which those of a name run, which is made on its first publish. */
export class ListenerTable {
  readonly #exact = new Map<string, Set<Registration>>()
  readonly #wildcards = new Map<string, WildcardList>()
  readonly #aliases = new Map<string, string>()
  readonly #registered = new Map<string, object>()
  readonly #plans = new Map<string, Plan>()
  readonly #check: (name: unknown) => string

  /** @param check returns the name that is meant, and throws for what is none */
  constructor(check: (name: unknown) => string) {
    this.#check = check
  }

  /**
   * The listeners of an event.
   *
   * @throws TypeError for a bad name
   */
  planOf(name: string): Plan {
    const plan = this.#plans.get(name)
    return plan !== undefined && !plan.stale ? plan : this.#planAnew(name)
  }

  add(registration: Registration): void {
    for (const pattern of registration.patterns) {
      this.#listOf(pattern).add(registration)
      this.#changed(pattern)
    }
  }

  remove(registration: Registration): void {
    for (const pattern of registration.patterns) {
      const list = this.find(pattern)
      if (list === undefined || !list.delete(registration)) continue
      if (list.size === 0 && !this.#exact.delete(pattern)) this.#wildcards.delete(pattern)
      this.#changed(pattern)
    }
  }

  /** Registrations under exactly this name or pattern, in the order of subscribing. */
  find(pattern: string): Set<Registration> | undefined {
    return this.#exact.get(pattern) ?? this.#wildcards.get(pattern)?.list
  }

  /** All names and patterns with listeners. */
  names(): string[] {
    return [...this.#exact.keys(), ...this.#wildcards.keys()]
  }

  /** @throws Error when `alias` is a name with an alias, or an alias of another name */
  alias(alias: string, name: string): void {
    const known = this.#aliases.get(alias)
    if (known === name) return
    if (alias === name || known !== undefined || this.#aliases.has(name) || [...this.#aliases.values()].includes(alias))
      throw new Error(`${alias} cannot become an alias of ${name}`)
    this.#aliases.set(alias, name)
    this.#changed(alias)
    this.#changed(name)
  }

  /** Data of registered events. */
  get registered(): ReadonlyMap<string, object> {
    return this.#registered
  }

  register(name: string, data: object): void {
    this.#registered.set(name, data)
    this.#changed(name)
  }

  unregister(name: string): boolean {
    this.#changed(name)
    return this.#registered.delete(name)
  }

  /** The name that an alias stands for. */
  resolve(name: string): string {
    return this.#aliases.get(name) ?? name
  }

  #listOf(pattern: string): Set<Registration> {
    const found = this.find(pattern)
    if (found !== undefined) return found
    const list = new Set<Registration>()
    const wildcard = wildcardOf(pattern)
    if (wildcard === undefined) this.#exact.set(pattern, list)
    else this.#wildcards.set(pattern, { ...wildcard, list })
    return list
  }

  #changed(pattern: string): void {
    if (pattern.includes('*')) this.#forgetPlans()
    const name = this.resolve(pattern)
    this.#markStale(name)
    for (const [alias, target] of this.#aliases) if (target === name) this.#markStale(alias)
  }

  #markStale(name: string): void {
    const plan = this.#plans.get(name)
    if (plan !== undefined) plan.stale = true
  }

  #forgetPlans(): void {
    for (const plan of this.#plans.values()) plan.stale = true
    this.#plans.clear()
  }

  #planAnew(given: string): Plan {
    const checked = this.#check(given)
    const name = this.resolve(checked)
    let plan = this.#plans.get(name)
    if (plan === undefined || plan.stale) {
      const steps = this.#stepsOf(name)
      plan = { name, steps, calls: steps.map(({ call }) => call), registered: this.#registered.get(name), stale: false }
      this.#keep(name, plan)
    }
    // An untrimmed name is not kept: there are any number of them.
    if (checked === given && checked !== name) this.#keep(checked, plan)
    return plan
  }

  #keep(name: string, plan: Plan): void {
    if (this.#plans.size >= MAX_PLANS) this.#forgetPlans()
    plan.stale = false
    this.#plans.set(name, plan)
  }

  #stepsOf(name: string): Step[] {
    const found = new Map<Registration, Step>()
    // A subscription to several patterns that match runs once, in the first of its tiers.
    const collect = (list: Iterable<Registration> | undefined, tier: Tier, alias?: string): void => {
      for (const registration of list ?? []) if (!found.has(registration)) found.set(registration, stepOf(registration, tier, alias))
    }
    collect(this.#exact.get(name), Tier.Exact)
    for (const [alias, target] of this.#aliases) if (target === name) collect(this.#exact.get(alias), Tier.Exact, alias)
    const segments = name.split('.')
    const wildcards = [...this.#wildcards.values()].filter((wildcard) => matches(wildcard, segments))
    for (const { tier, list } of wildcards.sort((a, b) => a.tier - b.tier)) collect(list, tier)
    return [...found.values()].sort(inOrder)
  }
}

function inOrder(a: Step, b: Step): number {
  return a.tier - b.tier || b.registration.priority - a.registration.priority || a.registration.order - b.registration.order
}
