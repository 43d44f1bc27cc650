internal import JSON

/// Notifications about a call that is under way, named by its id on the connection: `{"method":"$/cancel","params":[7]}`.
public enum FlowSignal: String, Sendable, CaseIterable {
    /// Nobody wants the answer any more; it is answered all the same, if only with an error.
    case cancel = "$/cancel"
    /// The stream of this call is to wait: nobody reads it.
    case pause = "$/pause"
    /// The stream of this call may go on.
    case resume = "$/resume"

    /// The signal that a method is; nil for all others.
    public init?(_ method: RPCMethod) {
        guard method.raw.count > 1, method.raw[0] == UInt8(ascii: "$"), method.raw[1] == UInt8(ascii: "/") else {
            return nil
        }
        self.init(rawValue: method.string)
    }

    /// The call a signal is about: its first parameter, byte for byte; nil where that is no id.
    public static func subject(of request: RPCRequest) -> RPCID? {
        guard let params = request.params else { return nil }
        var scanner = JSONScanner(params)
        // What was scanned with its message is JSON, so this fails only for an empty list.
        guard scanner.skip(UInt8(ascii: "[")), let range = try? scanner.skipValue() else { return nil }
        let raw = UnsafeRawBufferPointer(rebasing: params[range])
        return isValidID(raw) ? RPCID(raw: raw) : nil
    }
}

extension MessageWriter {
    /// A signal about the call with this id.
    public static func signal(_ signal: FlowSignal, _ id: RPCID, to output: inout [UInt8]) {
        appendText("{\"method\":", to: &output)
        appendJSONString(signal.rawValue, to: &output)
        appendText(",\"params\":[", to: &output)
        id.withBytes { output.append(contentsOf: $0) }
        appendText("]", to: &output)
        appendText(end, to: &output)
    }
}
