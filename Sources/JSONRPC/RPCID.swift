internal import Glibc
internal import JSON

/// The id of a message, byte for byte as its sender wrote it: `7`, `"7"` and `7.0` are three ids.
///
/// Ids up to 40 bytes (any number, a quoted UUID) are kept without allocating.
public struct RPCID: Hashable, Sendable {
    private struct InlineBytes: Hashable, Sendable {
        var first: UInt64 = 0
        var second: UInt64 = 0
        var third: UInt64 = 0
        var fourth: UInt64 = 0
        var fifth: UInt64 = 0
    }

    private var words = InlineBytes()
    private let count: Int
    /// The bytes of an id that is too long for `words`, else empty.
    private let long: [UInt8]

    /// The longest id of a request, in bytes of JSON.
    public static let longest = 1024

    /// Id of an answer to an unreadable line; no request has it.
    public static let unreadable = RPCID(-1)

    /// The id whose JSON text these bytes are; they are copied.
    public init(raw: UnsafeRawBufferPointer) {
        count = raw.count
        guard raw.count <= MemoryLayout<InlineBytes>.size else {
            long = [UInt8](raw)
            return
        }
        long = []
        withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: raw) }
    }

    /// A number as id.
    public init(_ number: some BinaryInteger) {
        var text = String(number)
        self = text.withUTF8 { RPCID(raw: UnsafeRawBufferPointer($0)) }
    }

    /// A string as id.
    public init(_ string: String) {
        var output: [UInt8] = []
        appendJSONString(string, to: &output)
        self = output.withUnsafeBytes { RPCID(raw: $0) }
    }

    /// Lends the id's JSON text.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        guard long.isEmpty else { return long.withUnsafeBytes(body) }
        return withUnsafeBytes(of: words) { body(UnsafeRawBufferPointer(rebasing: $0[0..<count])) }
    }

    /// True for `null`: a request with this id is a notification.
    public var isNull: Bool { withBytes { isText($0, "null") } }
}

extension RPCID: CustomStringConvertible {
    /// The id for people: a string without its quotes.
    public var description: String {
        withBytes { bytes in
            if let string = (try? JSONValue(parsing: bytes))?.string { return string }  // not JSON: shown as it is
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}

/// True when the bytes are that text.
func isText(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount, let base = bytes.baseAddress else { return false }
    return memcmp(base, text.utf8Start, bytes.count) == 0
}
