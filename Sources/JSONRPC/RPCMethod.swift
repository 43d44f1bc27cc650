internal import JSON

/// The name of a called method as it stands in the message; nothing is copied until `string` is asked for.
///
/// Like the message it belongs to, it is good until its line is given up.
public struct RPCMethod {
    /// The bytes between the quotes, escapes unresolved.
    public let raw: UnsafeRawBufferPointer
    /// True when the name has escapes; without them its bytes are the name.
    public let hasEscapes: Bool

    /// The name.
    public var string: String {
        JSONStringToken(range: 0..<raw.count, hasEscapes: hasEscapes).string(in: raw)
    }

    /// True when the method has this name; compares bytes, without making a string.
    public static func == (method: RPCMethod, name: StaticString) -> Bool {
        if !method.hasEscapes { return isText(method.raw, name) }
        return method.string == name.description
    }

    /// Lets `switch method { case "status": … }` compare bytes.
    public static func ~= (name: StaticString, method: RPCMethod) -> Bool { method == name }

    /// The parts before and after the first `separator` (`svc.echo` at "."), or nil when there is none.
    public func split(at separator: Unicode.Scalar) -> (head: RPCMethod, tail: RPCMethod)? {
        guard let place = raw.firstIndex(of: UInt8(ascii: separator)) else { return nil }
        return (part(0..<place), part(place + 1..<raw.count))
    }

    /// The part before a tail of this method, without the separator between them; nil when it is none of its tails.
    public func head(before tail: RPCMethod) -> RPCMethod? {
        let count = raw.count - tail.raw.count - 1
        return count >= 0 ? part(0..<count) : nil
    }

    private func part(_ range: Range<Int>) -> RPCMethod {
        RPCMethod(raw: UnsafeRawBufferPointer(rebasing: raw[range]), hasEscapes: hasEscapes)
    }
}
