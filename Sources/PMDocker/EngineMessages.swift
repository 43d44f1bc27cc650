import JSON
import NIOCore

/// A request to the engine (Docker Engine API).
struct EngineRequest: Sendable {
    /// Methods of HTTP that the engine gets.
    enum Verb: String, Sendable {
        case get = "GET"
        case post = "POST"
        case delete = "DELETE"
    }

    /// The method of HTTP.
    let verb: Verb
    /// The path below the version, `/containers/json` for example.
    let path: String
    /// Names and values behind the path; values are encoded here.
    var query: [(String, String)] = []
    /// The body, as JSON.
    var body: JSONValue?

    /// Path and query.
    var target: String {
        guard !query.isEmpty else { return path }
        return path + "?" + query.map { "\($0)=\($1.percentEncoded)" }.joined(separator: "&")
    }
}

/// An answer of the engine.
struct EngineAnswer: Sendable {
    /// The status of HTTP, 200 to 399: others are errors.
    let status: Int
    /// The body; null when there is none.
    let body: JSONValue
}

/// Why the engine did not do what was asked.
enum EngineError: Error, Equatable, CustomStringConvertible {
    /// Nobody answers there, and the reason.
    case away(path: String, reason: String)
    /// The engine closed the connection, or took too long, before its answer was complete.
    case silent(asked: String)
    /// The engine refused, with a status of HTTP and its own message.
    case refused(asked: String, status: Int, message: String)
    /// The engine answered with something that is not its protocol.
    case nonsense(asked: String, said: String)

    var description: String {
        switch self {
        case .away(let path, let reason):
            "cannot reach the Docker engine at \(path): \(reason); check that it runs (systemctl status docker) and that this "
                + "user may use it, or name another engine in DOCKER_HOST"
        case .silent(let asked): "the Docker engine did not answer \(asked)"
        case .refused(_, _, let message): message
        case .nonsense(let asked, let said): "the Docker engine answered \(asked) with \(said)"
        }
    }

    /// True when the engine refused with this status.
    func isRefusal(_ status: Int) -> Bool {
        if case .refused(_, status, _) = self { true } else { false }
    }
}

extension String {
    /// With everything but letters, digits and `-._~` as `%XX` (RFC 3986).
    fileprivate var percentEncoded: String {
        var text = ""
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:  // bytes, not an enum of ours
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return text
    }
}
