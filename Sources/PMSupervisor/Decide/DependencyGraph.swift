/// Units as numbers and their dependencies as edges; what `StartOrder` is computed from.
struct DependencyGraph {
    /// The units, sorted.
    let names: [String]
    /// For each unit, what it needs, in the order it was given, without repetitions.
    let edges: [[Int]]

    /// Gathers some units and all that they need. Throws `missing` with every name that does not exist.
    init(roots: [String], dependencies: (String) -> [String]?) throws(StartOrderError) {
        var found: [String: [String]] = [:]
        var unknown: Set<String> = []
        var queue = roots
        while let name = queue.popLast() {
            guard found[name] == nil, !unknown.contains(name) else { continue }
            guard let needs = dependencies(name) else {
                unknown.insert(name)
                continue
            }
            let unique = Self.unique(needs)
            found[name] = unique
            queue.append(contentsOf: unique)
        }
        let names = found.keys.sorted()
        guard unknown.isEmpty else { throw .missing(Self.missing(unknown, roots: roots, names: names, needs: found)) }
        let index = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        self.names = names
        edges = names.map { name in (found[name] ?? []).compactMap { index[$0] } }
    }

    private static func unique(_ names: [String]) -> [String] {
        guard names.count > 1 else { return names }
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    private static func missing(
        _ unknown: Set<String>, roots: [String], names: [String], needs: [String: [String]]
    ) -> [StartOrderError.Missing] {
        let asked = unique(roots).filter(unknown.contains)
        var missing = asked.isEmpty ? [] : [StartOrderError.Missing(dependent: nil, names: asked)]
        for name in names {
            let absent = (needs[name] ?? []).filter(unknown.contains)
            if !absent.isEmpty { missing.append(.init(dependent: name, names: absent)) }
        }
        return missing
    }

    /// For each unit, those that need it, sorted.
    func dependents() -> [[Int]] {
        var dependents = [[Int]](repeating: [], count: names.count)
        for (unit, needs) in edges.enumerated() {
            for need in needs { dependents[need].append(unit) }
        }
        return dependents
    }

    /// For each unit, the length of the longest chain of dependencies below it. Throws `cycle` where there is none.
    func depths() throws(StartOrderError) -> [Int] {
        let dependents = dependents()
        var unmet = edges.map(\.count)
        var depths = [Int](repeating: 0, count: names.count)
        var queue = unmet.indices.filter { unmet[$0] == 0 }
        var done = 0
        while done < queue.count {
            let unit = queue[done]
            done += 1
            for dependent in dependents[unit] {
                depths[dependent] = max(depths[dependent], depths[unit] + 1)
                unmet[dependent] -= 1
                if unmet[dependent] == 0 { queue.append(dependent) }
            }
        }
        guard done == names.count else { throw .cycle(cycle(among: unmet)) }
        return depths
    }

    /// A cycle among the units that could not be ordered: each of them needs another one of them, so a walk along such
    /// needs comes back to where it was. The name that sorts first begins it.
    private func cycle(among unmet: [Int]) -> [String] {
        var path: [Int] = []
        var place: [Int: Int] = [:]
        var next = unmet.firstIndex { $0 > 0 }
        while let unit = next {
            if let start = place[unit] {
                path.removeFirst(start)
                break
            }
            place[unit] = path.count
            path.append(unit)
            next = edges[unit].first { unmet[$0] > 0 }
        }
        guard let first = path.indices.min(by: { path[$0] < path[$1] }) else { return [] }
        let cycle = path[first...] + path[..<first]
        return (cycle + cycle.prefix(1)).map { names[$0] }
    }
}
