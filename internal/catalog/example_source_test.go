package catalog

// example is the catalog that the design shows: every key of it must be understood.
const example = `orgs:
  - id: git
    number: 50711                  # shown by the Capillary-shaped door
    timezone: UTC                  # a change takes effect with the next period
    week_start: monday
    users: {auto_create: true}
    limits: {max_past: 35d, max_future: 5m, close_grace: 35d, log_days: 90, segments: 500}
    behaviours:
      - {name: commit, cool_off: 0s, cap: {per: day, count: 1000}, meta: {added: integer, deleted: integer, files: integer, language: string}}
    rules:
      - id: commits
        when: {kind: behaviour, name: commit}
        value: count               # count | {sum: <expr>} | {max: } | {min: } | {last: } | {unique: } (≤ 10,000 values a period)
        cycles: [day, week, month, year, all]
      - id: lines
        when: {name: commit, where: "meta.files < 500"}
        value: {sum: meta.added}
        cycles: [week, all, {every: 14d, from: 2026-01-05}]
        order: desc
        ties: standard
        keep: {week: 26}           # periods kept after close; at least max_past + close_grace
    streaks:
      - id: daily-commit
        when: {name: commit}
        unit: day
        timezone: event
        target: 1
      - id: weekly-regular
        any:                       # or all:
          - {when: {name: commit}, value: count, at_least: 3}
          - {when: {name: commit}, value: {sum: meta.added}, at_least: 500}
        unit: week
        active_days: [mon, tue, wed, thu, fri]      # for unit day
        day_start: 4h
        grace: 6h
        at_risk: 4h
        freezes: {initial: 0, earn_every: 4, max: 2}
        restore_window: 3d
        on_miss: reset
        milestones: [{at: 7}, {every: 30, once: run}]
`
