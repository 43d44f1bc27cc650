/// Requests under way, found by number and by the units they are interested in.
struct PlanTable<Entry> {
    private struct Row {
        var entry: Entry
        let units: [String]
    }

    /// The requests that are interested in one unit, oldest first, and how many of them are gone: taking each out at once
    /// would make the end of many take the square of their number.
    private struct Interest {
        var numbers: [UInt64] = []
        var gone = 0
    }

    private var rows: [UInt64: Row] = [:]
    private var interests: [String: Interest] = [:]
    private var last: UInt64 = 0

    /// Adds a request and returns its number; later ones have higher numbers.
    mutating func add(_ entry: Entry, for units: [String]) -> UInt64 {
        last += 1
        rows[last] = Row(entry: entry, units: units)
        for unit in units { interests[unit, default: Interest()].numbers.append(last) }
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
    func interested(in unit: String) -> [UInt64] {
        guard let interest = interests[unit] else { return [] }
        return interest.gone == 0 ? interest.numbers : interest.numbers.filter { rows[$0] != nil }
    }

    /// The numbers of all requests, oldest first.
    var all: [UInt64] { rows.keys.sorted() }

    private mutating func remove(_ number: UInt64) {
        guard let row = rows.removeValue(forKey: number) else { return }
        for unit in row.units { leave(unit) }
        // A dictionary keeps the room of its fullest day.
        if rows.isEmpty { (rows, interests) = ([:], [:]) }
    }

    private mutating func leave(_ unit: String) {
        guard var interest = interests.removeValue(forKey: unit) else { return }
        interest.gone += 1
        if interest.gone == interest.numbers.count { return }
        if interest.gone * 2 > interest.numbers.count {
            interest.numbers.removeAll { rows[$0] == nil }
            interest.gone = 0
        }
        interests[unit] = interest
    }
}
