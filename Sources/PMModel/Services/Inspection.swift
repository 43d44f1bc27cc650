/// Use of Node's inspector by a program.
public struct Inspection: Equatable, Hashable, Sendable {
    /// Kind of use.
    public enum Mode: String, Sendable, CaseIterable {
        /// No inspector.
        case none
        /// The inspector without a pause.
        case inspect
        /// The inspector; the program waits for a debugger before its first line.
        case inspectBreak = "inspect-brk"
    }

    /// Kind of use.
    public var mode: Mode
    /// The wanted address; nil: pm chooses one.
    public var address: InspectorAddress?

    /// Makes a use, at an address of its own or one that pm chooses.
    public init(_ mode: Mode, at address: InspectorAddress? = nil) {
        self.mode = mode
        self.address = mode == .none ? nil : address
    }

    /// Reads `option`; nil for other words.
    public init?(option: String) {
        let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let mode = Mode.allCases.first(where: { $0 != .none && parts[0] == "--\($0.rawValue)" }) else {
            return nil
        }
        guard parts.count == 2 else {
            self.init(mode)
            return
        }
        guard let address = InspectorAddress(String(parts[1])) else { return nil }
        self.init(mode, at: address)
    }

    /// No inspector.
    public static let none = Inspection(.none)
    /// `--inspect`.
    public static let inspect = Inspection(.inspect)
    /// `--inspect-brk`.
    public static let inspectBreak = Inspection(.inspectBreak)

    /// The option of a command line, for Node and for pm: `--inspect`, `--inspect=HOST:PORT`; nil for none.
    public var option: String? {
        mode == .none ? nil : "--\(mode.rawValue)" + (address.map { "=\($0.text)" } ?? "")
    }
}

/// The address of an inspector: `PORT` or `HOST:PORT`.
public struct InspectorAddress: Equatable, Hashable, Sendable {
    /// Host, an IPv6 address in brackets.
    public var host: String
    /// Port; 0: the system chooses one.
    public var port: UInt16

    /// Host of an inspector without one.
    public static let localHost = "127.0.0.1"

    /// Makes an address.
    public init(host: String = Self.localHost, port: UInt16) {
        (self.host, self.port) = (host, port)
    }

    /// Reads `PORT` or `HOST:PORT`; nil for anything else.
    public init?(_ text: String) {
        let parts = text.utf8.lastIndex(of: UInt8(ascii: ":")).map {
            (text[..<$0], text[text.utf8.index(after: $0)...])
        }
        let (host, digits) = parts ?? (Self.localHost[...], text[...])
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits), Self.isHost(host)
        else {
            return nil
        }
        self.init(host: String(host), port: port)
    }

    /// `HOST:PORT`.
    public var text: String { "\(host):\(port)" }

    private static func isHost(_ text: Substring) -> Bool {
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        let inner = isBracketed ? text.dropFirst().dropLast() : text
        let isPlain = inner.utf8.allSatisfy { byte in
            UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
                || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "-") || (isBracketed && byte == UInt8(ascii: ":"))
        }
        return !inner.isEmpty && inner.utf8.count <= 253 && isPlain && !inner.hasPrefix("-")
    }
}
