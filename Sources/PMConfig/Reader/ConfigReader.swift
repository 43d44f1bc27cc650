internal import JSON
internal import PMModel

/// A value of the file and the keys that lead to it.
struct ConfigNode {
    /// The keys, put together only for a message: most values have no fault.
    private indirect enum Keys {
        case text(String)
        case member(String, of: Keys)
        case element(Int, of: Keys)

        var joined: String {
            switch self {
            case .text(let text): return text
            case .member(let name, let parent):
                let parent = parent.joined
                return parent.isEmpty ? name : "\(parent).\(name)"
            case .element(let index, let parent): return "\(parent.joined)[\(index)]"
            }
        }
    }

    let node: JSONNode
    private let place: Keys

    /// The keys that lead to the value, as they are written in messages.
    var key: String { place.joined }

    init(node: JSONNode, key: String) {
        (self.node, place) = (node, .text(key))
    }

    private init(_ node: JSONNode, _ place: Keys) {
        (self.node, self.place) = (node, place)
    }

    func child(_ member: JSONNode.Member) -> ConfigNode {
        ConfigNode(member.node, .member(member.key, of: place))
    }

    func child(_ index: Int) -> ConfigNode {
        ConfigNode(node.elements[index], .element(index, of: place))
    }
}

/// Reads typed values out of a document and gathers everything that is wrong with it.
struct ConfigReader {
    let document: JSONDocument
    let file: String
    /// The document with its profile and the values of its variables.
    let resolved: ResolvedDocument
    private(set) var problems: [ConfigProblem] = []
    private var errorCount = 0

    /// Nobody reads more, and each costs a walk over the file to find its line.
    private static let mostErrors = 100, mostWarnings = 100

    init(document: JSONDocument, file: String, values: ConfigValues) {
        self.document = document
        self.file = file
        resolved = ResolvedDocument(document, values)
        for fault in resolved.faults {
            report(fault.message, at: Spot(offset: fault.offset, key: fault.key), hint: fault.hint, severity: .error)
        }
    }

    /// The value at a place; a text that is nothing but a variable stands for the number or boolean that the variable holds.
    func scalar(_ place: ConfigNode) -> JSONNode.Shape {
        let shape = place.node.shape
        guard case .string(let text) = shape, resolved.oneVariable.contains(place.node.offset),
            // A text that is no JSON is a text.
            let other = try? JSONValue(parsing: Array(text.utf8))
        else { return shape }
        switch other {
        case .bool(let value): return .bool(value)
        case .number(let value): return .number(value)
        case .null, .string, .array, .object: return shape
        }
    }

    mutating func report(
        _ message: String, at place: ConfigNode, hint: @autoclosure () -> String? = nil,
        severity: ConfigProblem.Severity = .error
    ) {
        report(message, at: Spot(offset: place.node.offset, key: place.key), hint: hint(), severity: severity)
    }

    /// A place in the text, and the keys that lead there.
    private struct Spot {
        let offset: Int
        let key: String
    }

    private mutating func report(
        _ message: String, at spot: Spot, hint: @autoclosure () -> String?, severity: ConfigProblem.Severity
    ) {
        guard !resolved.unknown.contains(spot.offset), hasRoom(for: severity) else { return }
        let position = document.position(of: spot.offset)
        var problem = ConfigProblem(message, severity: severity, hint: hint())
        (problem.file, problem.line, problem.column, problem.key) = (file, position.line, position.column, spot.key)
        problems.append(problem)
    }

    /// Counts a problem; true when it is among the first of its kind, which are reported.
    private mutating func hasRoom(for severity: ConfigProblem.Severity) -> Bool {
        errorCount += severity == .error ? 1 : 0
        switch severity {
        case .error: return errorCount <= Self.mostErrors
        case .warning: return problems.count - min(errorCount, Self.mostErrors) < Self.mostWarnings
        }
    }

    mutating func expected(_ what: String, at place: ConfigNode) {
        report("expected \(what), found \(place.node.value.summary)", at: place)
    }

    /// The members of an object, the later of two with one name; none, and a problem, when it is something else.
    mutating func members(of place: ConfigNode, _ what: String = "an object") -> [JSONNode.Member] {
        guard case .object = place.node.shape else {
            if !place.node.isNull { expected(what, at: place) }
            return []
        }
        return place.node.hasDoubles ? withoutDoubles(place) : place.node.members
    }

    private mutating func withoutDoubles(_ place: ConfigNode) -> [JSONNode.Member] {
        var kept: [JSONNode.Member] = []
        var places: [String: Int] = [:]
        for member in place.node.members {
            if let earlier = places[member.key] {
                let message = "is given more than once; the last one counts"
                report(
                    message, at: Spot(offset: member.keyOffset, key: place.child(member).key), hint: nil,
                    severity: .warning)
                kept[earlier] = member
            } else {
                places[member.key] = kept.count
                kept.append(member)
            }
        }
        return kept
    }

    /// Warns of a key that pm does not know, with the key that is probably meant. Keys with `x-` in front belong to other
    /// programs, as in Compose files.
    mutating func unknown(_ member: JSONNode.Member, in place: ConfigNode, known: [String], elsewhere: String? = nil) {
        guard !member.key.hasPrefix("x-") else { return }
        let hint =
            elsewhere ?? ForeignKeys.advice(for: member.key) ?? NearNames.hint(for: member.key, among: known)
            ?? "the keys are \(known.joined(separator: ", ")); a key of another program begins with x-"
        warnOfKey(member, in: place, hint)
    }

    /// Warns of a key at the root that looks like one of pm or of another manager. Other keys there are settings of containers.
    mutating func unknownAtRoot(_ member: JSONNode.Member, in place: ConfigNode, known: [String]) {
        guard
            let hint = ForeignKeys.advice(for: member.key) ?? NearNames.hint(for: member.key, among: known)
        else { return }
        warnOfKey(member, in: place, hint)
    }

    private mutating func warnOfKey(_ member: JSONNode.Member, in place: ConfigNode, _ hint: String) {
        report(
            "unknown key, ignored", at: Spot(offset: member.keyOffset, key: place.child(member).key),
            hint: hint, severity: .warning)
    }

    /// A text that can be handed to the system; nil and a problem for anything else.
    mutating func string(_ place: ConfigNode) -> String? {
        guard case .string(let text) = place.node.shape else {
            expected("a string", at: place)
            return nil
        }
        // Paths, arguments and variables end at a NUL for the kernel.
        if text.utf8.contains(0) {
            report("contains a NUL character", at: place)
            return nil
        }
        return text
    }

    /// As `string`, but the empty text is a problem too.
    mutating func filledString(_ place: ConfigNode) -> String? {
        guard let text = string(place) else { return nil }
        if text.isEmpty { report("must not be empty", at: place) }
        return text.isEmpty ? nil : text
    }

    mutating func bool(_ place: ConfigNode) -> Bool {
        if place.node.isNull { return false }
        if case .bool(let value) = scalar(place) { return value }
        expected("true or false", at: place)
        return false
    }

    mutating func strings(_ place: ConfigNode) -> [String] {
        elements(of: place, "an array of strings").compactMap { filledString($0) }
    }

    mutating func elements(of place: ConfigNode, _ what: String) -> [ConfigNode] {
        switch place.node.shape {
        case .null: return []
        case .array: return place.node.elements.indices.map { place.child($0) }
        case .bool, .number, .string, .object:
            expected(what, at: place)
            return []
        }
    }

    mutating func duration(_ place: ConfigNode) -> Duration? {
        let parsed: Duration? =
            switch place.node.shape {
            case .string(let text): DurationText.parse(text)
            case .number(let number): number.int.flatMap { DurationText.parse("\($0)") }
            case .null, .bool, .array, .object: nil
            }
        if parsed == nil { expected(DurationText.expectation, at: place) }
        return parsed
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(_ place: ConfigNode) -> Choice? {
        if case .string(let text) = place.node.shape, let choice = Choice(rawValue: text) { return choice }
        expected(listed(Choice.allCases.map(\.rawValue)), at: place)
        return nil
    }
}

/// `"a", "b" or "c"`.
func listed(_ names: [String]) -> String {
    let quoted = names.map { "\"\($0)\"" }
    guard let last = quoted.last, quoted.count > 1 else { return quoted.joined() }
    return quoted.dropLast().joined(separator: ", ") + " or " + last
}

extension JSONValue {
    /// The value in a few words, for messages.
    var summary: String {
        switch self {
        case .null, .bool, .number: text
        case .string(let string) where string.utf8.count > 60: "a long string"
        case .string: text
        case .array(let elements): elements.isEmpty ? "an empty array" : "an array"
        case .object(let object): object.isEmpty ? "an empty object" : "an object"
        }
    }
}

extension JSONNode.Shape {
    /// The whole number, or nil when this is no number, has a fraction or does not fit.
    var int: Int? {
        if case .number(let number) = self { number.int } else { nil }
    }
}
