import JSONRPC
import PMModel

/// Reason why bytes are no record.
enum RecordProblem: Error, Equatable {
    /// The bytes end too early.
    case tooShort
    /// The record has a number or a name that this version does not know.
    case unknownValue
}

/// A value with a binary form: numbers in eight bytes, little-endian; lists and bytes after their count.
protocol RecordValue {
    /// Appends the value.
    func put(_ bytes: inout [UInt8])
    /// Takes the value from the front.
    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> Self
}

/// The binary form of a struct, made of its initializer and of all its fields.
///
/// The initializer takes every stored property, so a missing property does not compile: the numbers of fields and
/// parameters differ. An upgrade encodes and decodes its data by this one list.
struct RecordForm<Root, each Field: RecordValue> {
    private let make: (repeat each Field) -> Root
    private let fields: (repeat KeyPath<Root, each Field>)

    /// Describes a struct by its memberwise initializer and its fields, both in the same order.
    init(_ make: @escaping (repeat each Field) -> Root, _ fields: repeat KeyPath<Root, each Field>) {
        self.make = make
        self.fields = (repeat each fields)
    }

    func put(_ root: Root, _ bytes: inout [UInt8]) {
        repeat root[keyPath: each fields].put(&bytes)
    }

    func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> Root {
        make(repeat try (each Field).read(&bytes))
    }
}

// MARK: - Values

extension UInt64: RecordValue {
    func put(_ bytes: inout [UInt8]) {
        withUnsafeBytes(of: littleEndian) { bytes += $0 }
    }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> UInt64 {
        guard bytes.count >= 8 else { throw .tooShort }
        var value: UInt64 = 0
        for (place, byte) in bytes.prefix(8).enumerated() {
            value |= UInt64(byte) << (8 * place)  // bounded: eight places
        }
        bytes = bytes.dropFirst(8)
        return value
    }
}

extension Bool: RecordValue {
    func put(_ bytes: inout [UInt8]) { (self ? 1 : 0 as UInt64).put(&bytes) }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> Bool {
        switch try UInt64.read(&bytes) {
        case 0: return false
        case 1: return true
        default: throw .unknownValue
        }
    }
}

/// The bytes of a text or of messages.
struct RecordBytes: RecordValue, Equatable {
    var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func put(_ output: inout [UInt8]) {
        UInt64(bytes.count).put(&output)
        output += bytes
    }

    static func read(_ input: inout ArraySlice<UInt8>) throws(RecordProblem) -> RecordBytes {
        let count = try UInt64.read(&input)
        guard count <= UInt64(input.count) else { throw .tooShort }
        let bytes = Array(input.prefix(Int(count)))
        input = input.dropFirst(bytes.count)
        return RecordBytes(bytes)
    }
}

extension String: RecordValue {
    func put(_ bytes: inout [UInt8]) { RecordBytes(Array(utf8)).put(&bytes) }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> String {
        String(decoding: try RecordBytes.read(&bytes).bytes, as: UTF8.self)
    }
}

extension Optional: RecordValue where Wrapped: RecordValue {
    func put(_ bytes: inout [UInt8]) {
        (self != nil).put(&bytes)
        self?.put(&bytes)
    }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> Wrapped? {
        try Bool.read(&bytes) ? try Wrapped.read(&bytes) : nil
    }
}

extension Array: RecordValue where Element: RecordValue {
    func put(_ bytes: inout [UInt8]) {
        UInt64(count).put(&bytes)
        for element in self { element.put(&bytes) }
    }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> [Element] {
        let count = try UInt64.read(&bytes)
        // Each element takes at least eight bytes.
        guard count <= UInt64(bytes.count / 8) else { throw .tooShort }
        var elements: [Element] = []
        elements.reserveCapacity(Int(count))
        for _ in 0..<count { elements.append(try Element.read(&bytes)) }
        return elements
    }
}

extension IncarnationID: RecordValue {
    func put(_ bytes: inout [UInt8]) {
        unit.put(&bytes)
        number.put(&bytes)
    }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> IncarnationID {
        IncarnationID(unit: try String.read(&bytes), number: try UInt64.read(&bytes))
    }
}

extension RPCID: RecordValue {
    func put(_ bytes: inout [UInt8]) { RecordBytes(withBytes { [UInt8]($0) }).put(&bytes) }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> RPCID {
        try RecordBytes.read(&bytes).bytes.withUnsafeBytes { RPCID(raw: $0) }
    }
}

/// A number for each kind; patterns after their count.
extension PeerReach: RecordValue {
    func put(_ bytes: inout [UInt8]) {
        switch self {
        case .everything: (0 as UInt64).put(&bytes)
        case .services: (1 as UInt64).put(&bytes)
        case .proof: (2 as UInt64).put(&bytes)
        case .allowed(let list):
            (3 as UInt64).put(&bytes)
            list.patterns.put(&bytes)
        }
    }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> PeerReach {
        switch try UInt64.read(&bytes) {
        case 0: return .everything
        case 1: return .services
        case 2: return .proof
        case 3:
            guard let list = AllowList(try [String].read(&bytes)) else { throw .unknownValue }
            return .allowed(list)
        default: throw .unknownValue
        }
    }
}

extension MessageForm: RecordValue {
    func put(_ bytes: inout [UInt8]) {
        let number: UInt64 =
            switch self {
            case .lines: 0
            case .strictLines: 1
            case .nodeIPC: 2
            }
        number.put(&bytes)
    }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> MessageForm {
        switch try UInt64.read(&bytes) {
        case 0: return .lines
        case 1: return .strictLines
        case 2: return .nodeIPC
        default: throw .unknownValue
        }
    }
}

extension Dictionary: RecordValue where Key: RecordValue, Value: RecordValue {
    func put(_ bytes: inout [UInt8]) {
        UInt64(count).put(&bytes)
        for (key, value) in self {
            key.put(&bytes)
            value.put(&bytes)
        }
    }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> [Key: Value] {
        let count = try UInt64.read(&bytes)
        // Key and value take at least eight bytes each.
        guard count <= UInt64(bytes.count / 16) else { throw .tooShort }
        var entries: [Key: Value] = [:]
        for _ in 0..<count {
            let key = try Key.read(&bytes)
            entries[key] = try Value.read(&bytes)
        }
        return entries
    }
}
