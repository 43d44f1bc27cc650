/// Names like the one somebody wrote.
public enum NearNames {
    /// The candidates nearest to `name`, nearest first, at most three; none when nothing is near.
    public static func of(_ name: String, among candidates: some Sequence<String>) -> [String] {
        let wanted = Array(name.lowercased().utf8)
        // A name much longer than any service's is no typing error and not worth the time.
        guard (1...256).contains(wanted.count) else { return [] }
        let limit = max(1, wanted.count / 3)
        var near: [(distance: Int, name: String)] = []
        for candidate in candidates where candidate != name {
            let other = Array(candidate.lowercased().utf8)
            guard abs(other.count - wanted.count) <= limit else { continue }
            let distance = editDistance(wanted, other)
            if distance <= limit { near.append((distance, candidate)) }
        }
        return near.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
    }

    /// `did you mean "web"?`, or nil when nothing is near.
    public static func hint(for name: String, among candidates: some Sequence<String>) -> String? {
        let near = of(name, among: candidates)
        guard !near.isEmpty else { return nil }
        return "did you mean \(near.map { "\"\($0)\"" }.joined(separator: " or "))?"
    }

    /// Insertions, deletions, substitutions and swaps of neighbours that make one of the other (optimal string alignment).
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for row in a.indices {
            var current = [row + 1]
            for column in b.indices {
                var best = min(last[column + 1] + 1, current[column] + 1)
                best = min(best, last[column] + (a[row] == b[column] ? 0 : 1))
                if row > 0, column > 0, a[row] == b[column - 1], a[row - 1] == b[column] {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            (beforeLast, last) = (last, current)
        }
        return last[b.count]
    }
}
