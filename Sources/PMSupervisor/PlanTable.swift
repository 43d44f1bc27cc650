/// Requests under way, found by number and by the units they are interested in.
struct PlanTable<Entry> {
    private struct Row {
        var entry: Entry
        let units: [String]
    }

    private var rows: [UInt64: Row] = [:]
    private var numbers: [String: [UInt64]] = [:]
    private var last: UInt64 = 0

    /// Adds a request and returns its number; later ones have higher numbers.
    mutating func add(_ entry: Entry, for units: [String]) -> UInt64 {
        last += 1
        rows[last] = Row(entry: entry, units: units)
        for unit in units { numbers[unit, default: []].append(last) }
        return last
    }

    /// The request of a number, to be changed in place.
    subscript(_ number: UInt64) -> Entry? {
        get { rows[number]?.entry }
        set {
            if let newValue { rows[number]?.entry = newValue } else { remove(number) }
        }
    }

    /// Changes a request where it is; nil when it is gone.
    mutating func change<Result>(_ number: UInt64, _ body: (inout Entry) -> Result) -> Result? {
        guard let row = rows.index(forKey: number) else { return nil }
        return body(&rows.values[row].entry)
    }

    /// The numbers of the requests that are interested in a unit, oldest first.
    func interested(in unit: String) -> [UInt64] { numbers[unit] ?? [] }

    /// The numbers of all requests, oldest first.
    var all: [UInt64] { rows.keys.sorted() }

    private mutating func remove(_ number: UInt64) {
        guard let row = rows.removeValue(forKey: number) else { return }
        for unit in row.units {
            numbers[unit]?.removeAll { $0 == number }
            if numbers[unit]?.isEmpty == true { numbers[unit] = nil }
        }
        // A dictionary keeps the room of its fullest day.
        if rows.isEmpty { (rows, numbers) = ([:], [:]) }
    }
}
