public import PMAPI
import PMModel

/// Address of a daemon's socket, as `--pm-sock` and `mapping.pm.connect` have it.
public struct SocketAddress: Equatable, Sendable {
    /// The path of the unix socket.
    public let path: String

    /// Takes a path.
    public init(path: String) { self.path = path }

    /// Reads a `jsonrpc+unix://` or `unix://` URL or a path, which may be relative to `directory`; throws a 400 for
    /// other transports.
    public init(_ text: String, from directory: String) throws(APIError) {
        guard let colon = text.range(ofScheme: "://") else {
            guard !text.isEmpty else { throw APIError.badRequest("the socket of pm has an empty path") }
            path = Paths.resolve(text, from: directory)
            return
        }
        let scheme = text[..<colon.lowerBound]
        guard scheme == "jsonrpc+unix" || scheme == "unix" else {
            throw APIError.badRequest(
                "cannot connect to \(text): it is not a unix socket",
                hint: "give a path or a jsonrpc+unix:// URL")
        }
        guard let decoded = Paths.percentDecoded(text[colon.upperBound...].utf8), decoded.hasPrefix("/") else {
            throw APIError.badRequest("cannot connect to \(text): the URL has no absolute path")
        }
        path = decoded
    }
}

extension String {
    /// The first `://`.
    fileprivate func range(ofScheme separator: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(separator) { return start..<index(start, offsetBy: separator.count) }
            guard self[start].isLetter || self[start].isNumber || "+-.".contains(self[start]) else { return nil }
            start = index(after: start)
        }
        return nil
    }
}
