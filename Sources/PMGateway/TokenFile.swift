import COpenSSL
import Glibc

/// The token that clients must send, read again when its file has changed.
final class TokenFile {
    /// What is shorter could be guessed.
    private static let shortest = 16
    /// What is longer is no token, but another file.
    private static let longest = 4096

    /// A token file that cannot be used.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    private let path: String
    private let log: GatewayLog
    private var version: FileVersion?
    private var token: [UInt8]

    /// Reads the file.
    ///
    /// - Throws: `Problem` when it cannot be read or holds no good token.
    init(_ path: String, _ log: GatewayLog) throws(Problem) {
        self.path = path
        self.log = log
        version = FileVersion(path)
        token = try Self.read(path)
    }

    /// Whether this is the token; one that cannot be read any more is nobody's.
    func matches(_ text: String) -> Bool {
        refresh()
        let given = Array(text.utf8)
        guard !token.isEmpty, given.count == token.count else { return false }
        return pm_tls_equal(given, token, given.count)
    }

    private func refresh() {
        let current = FileVersion(path)
        guard current != version else { return }
        version = current
        do throws(Problem) {
            token = try Self.read(path)
            log.tell("read \(path) again")
        } catch {
            token = []
            log.tell("\(error); nobody is let in by a token until it is there again")
        }
    }

    private static func read(_ path: String) throws(Problem) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Problem(description: UnreadableFile(path, code: errno).description) }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: longest + 1)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { throw Problem(description: "cannot read \(path): \(String(cString: strerror(errno)))") }
        let isSpace: (UInt8) -> Bool = { [9, 10, 13, 32].contains($0) }
        let token = Array(bytes[..<count].drop(while: isSpace).reversed().drop(while: isSpace).reversed())
        guard (shortest...longest).contains(token.count), token.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Problem(
                description: "\(path) holds no token: \(shortest) to \(longest) letters without blanks are needed"
                    + "\nhint: openssl rand -hex 32 >\(path)")
        }
        return token
    }
}
