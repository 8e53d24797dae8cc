/**
 * The SQL of a question. Names come from our own lists, values are typed parameters: nothing that a caller sent is ever
 * part of the text.
 */
import { identifier } from '../../stores/clickhouse/sql.ts'
import { type QoeDimension, valueSql } from './dimensions.ts'
import type { Filters } from './filters.ts'
import type { Window } from './window.ts'

export class Statement {
  readonly parameters: Record<string, unknown> = {}
  readonly #known = new Map<string, string>()

  /** What stands for the value in the text; the same for the same value. */
  value(type: string, value: string | number | readonly string[]): string {
    const text = `${type} ${JSON.stringify(value)}`
    let name = this.#known.get(text)
    if (name === undefined) {
      name = `p${this.#known.size}`
      this.#known.set(text, name)
      this.parameters[name] = value
    }
    return `{${name}:${type}}`
  }

  table(database: string, name: string): string {
    return `${identifier(database)}.${identifier(name)}`
  }

  /** Both of ClickHouse's time types compare with it; partitions and keys are pruned by it. */
  moment(ms: number): string {
    return `fromUnixTimestamp64Milli(${this.value('Int64', ms)}, 'UTC')`
  }

  within(column: string, { fromMs, toMs }: Window): string {
    return `${column} >= ${this.moment(fromMs)} AND ${column} < ${this.moment(toMs)}`
  }

  /**
   * Of `view_slices`. Its key begins with the hour of the minute, which ClickHouse does not find out from a condition on
   * the minute alone: that one is a part of the key too.
   */
  withinMinutes(window: Window): string {
    const hour = 'toStartOfHour(minute)'
    const from = `${hour} >= toStartOfHour(${this.moment(window.fromMs)})`
    return `${from} AND ${hour} <= toStartOfHour(${this.moment(window.toMs)}) AND ${this.within('minute', window)}`
  }

  /** Seconds since 1970 at which the step begins. */
  step(column: string, stepMs: number): string {
    const seconds = this.value('UInt32', stepMs / 1000)
    return `intDiv(toUnixTimestamp(${column}), ${seconds}) * ${seconds}`
  }

  /** ` AND …`, over the columns of views and slices. */
  filters(filters: Filters, nameOf: (dimension: QoeDimension) => string = valueSql): string {
    const parts = filters.flatMap(({ dimension, any, none }) => [
      ...(any.length > 0 ? [`${nameOf(dimension)} IN ${this.value('Array(String)', any)}`] : []),
      ...(none.length > 0 ? [`${nameOf(dimension)} NOT IN ${this.value('Array(String)', none)}`] : []),
    ])
    return parts.map((part) => ` AND ${part}`).join('')
  }
}
