/// The members of a JSON object in the order they were written; names are unique.
public struct JSONObject: Sendable {
    struct Member: Sendable {
        var key: String
        var value: JSONValue
    }

    /// From this many members on, names are looked up in `places` instead of one by one: a row of a status has fewer.
    static let indexThreshold = 32

    private(set) var members: [Member] = []
    /// Index of each name in `members`; nil while there are few, because a search is then faster.
    private var places: [MemberName: Int]?

    /// An empty object.
    public init() {}

    /// An object of these members; of two with one name the later value stays, at the earlier place.
    public init(_ pairs: some Sequence<(key: String, value: JSONValue)>) {
        for pair in pairs { set(pair.key, pair.value) }
    }

    /// An object of these members; of two with one name the later value stays, at the earlier place.
    public init(_ pairs: [(String, JSONValue)]) {
        for pair in pairs { set(pair.0, pair.1) }
    }

    /// The value of that name. Setting keeps the place of an existing name, appends a new one; nil removes.
    public subscript(_ key: String) -> JSONValue? {
        get { place(of: key).map { members[$0].value } }
        set {
            if let newValue { set(key, newValue) } else { remove(key) }
        }
    }

    /// The names, in order.
    public var keys: [String] { members.map(\.key) }

    /// The values, in order.
    public var values: [JSONValue] { members.map(\.value) }

    /// The number of members.
    public var count: Int { members.count }

    /// Memory of the members' storage in bytes, without the storage of long names and of values.
    var room: Int {
        let index = JSONValue.room(
            for: places?.capacity ?? 0, 2 * (MemoryLayout<MemberName>.stride + MemoryLayout<Int>.stride))
        return JSONValue.room(for: members.capacity, MemoryLayout<Member>.stride) + index
    }

    /// True when there are no members.
    public var isEmpty: Bool { members.isEmpty }

    mutating func reserveCapacity(_ count: Int) {
        members.reserveCapacity(count)
    }

    mutating func set(_ key: String, _ value: JSONValue) {
        if let place = place(of: key) {
            members[place].value = value
            return
        }
        members.append(Member(key: key, value: value))
        if places != nil {
            places?[MemberName(text: key)] = members.count - 1
        } else if members.count > Self.indexThreshold {
            buildIndex()
        }
    }

    private mutating func remove(_ key: String) {
        guard let place = place(of: key) else { return }
        members.remove(at: place)
        if places != nil { buildIndex() }
    }

    private func place(of key: String) -> Int? {
        if let places { return places[MemberName(text: key)] }
        return members.firstIndex { sameBytes($0.key, key) }
    }

    private mutating func buildIndex() {
        guard members.count > Self.indexThreshold else {
            places = nil
            return
        }
        var index: [MemberName: Int] = [:]
        index.reserveCapacity(members.count * 2)
        for (place, member) in members.enumerated() { index[MemberName(text: member.key)] = place }
        places = index
    }
}

/// A member's name compared by bytes: Swift's own `==` would merge names that differ only in Unicode normalisation.
struct MemberName: Hashable {
    let text: String

    static func == (lhs: MemberName, rhs: MemberName) -> Bool { sameBytes(lhs.text, rhs.text) }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension JSONObject: Equatable {
    /// Equal when both have the same members, whatever their order.
    public static func == (lhs: JSONObject, rhs: JSONObject) -> Bool {
        lhs.count == rhs.count && lhs.members.allSatisfy { rhs[$0.key] == $0.value }
    }
}

extension JSONObject: Sequence {
    /// Walks the members in order.
    public struct Iterator: IteratorProtocol {
        fileprivate var members: IndexingIterator<[Member]>

        /// The next member.
        public mutating func next() -> (key: String, value: JSONValue)? {
            members.next().map { (key: $0.key, value: $0.value) }
        }
    }

    /// Walks the members in order.
    public func makeIterator() -> Iterator { Iterator(members: members.makeIterator()) }

    /// The number of members: exact here, though `Sequence` asks for a lower bound only.
    public var underestimatedCount: Int { members.count }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// An object with its members in this order.
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}
