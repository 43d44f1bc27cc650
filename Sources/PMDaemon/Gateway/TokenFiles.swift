import Glibc
import PMAPI
import PMModel
import PMSystem

/// The tokens of connection points, each read again when its file has changed.
@PMActor
final class TokenFiles {
    /// A shorter text could be guessed.
    static let shortestToken = 16
    /// Longest token in bytes: a longer file is no token.
    static let longestToken = 4096

    private var known: [String: (status: FileStatus, token: [UInt8])] = [:]
    private let trust = PathTrust(trusting: [geteuid()])
    private let onTrouble: @PMActor (String) -> Void
    /// Said once, until the file is good again: clients must not fill the log.
    private var problems: [String: String] = [:]

    init(onTrouble: @escaping @PMActor (String) -> Void) {
        self.onTrouble = onTrouble
    }

    /// True when a file holds this token; an unusable file holds none.
    func holds(_ path: String, _ token: String) -> Bool {
        do throws(APIError) {
            let wanted = try read(path)
            problems[path] = nil
            return Self.isEqual(wanted, Array(token.utf8))
        } catch {
            if problems[path] != error.message {
                problems[path] = error.message
                let hint = error.hint.map { " (\($0))" } ?? ""
                onTrouble("nobody is let in by a token: \(error.message)\(hint)")
            }
            return false
        }
    }

    /// The token in a file.
    ///
    /// - Throws: a 409 that says why the file cannot be used, and what to do.
    func read(_ path: String) throws(APIError) -> [UInt8] {
        guard let status = try Self.attempt({ () throws(SystemError) in try Files.status(path) }) else {
            throw .conflict("cannot read the token in \(path): there is no such file")
        }
        // A link or a folder on the way that somebody else can change leads to any file that this process can read.
        if let finding = trust.finding(on: path) {
            throw .conflict(
                "the token in \(path) is not used: \(finding)",
                hint: "only root and user \(geteuid()) may be able to change it: use chown and chmod go-w")
        }
        if let known = known[path], known.status == status { return known.token }
        known[path] = nil
        if let fault = SecretFile.fault(status) {
            throw .conflict("the token in \(path) is not used: \(fault.reason)", hint: fault.hint(path))
        }
        let bytes = try Self.attempt { () throws(SystemError) in try Files.read(path, limit: Self.longestToken + 2) }
        let token = try Self.token(bytes, path)
        known[path] = (status, token)
        return token
    }

    private static func attempt<Value>(_ body: () throws(SystemError) -> Value) throws(APIError) -> Value {
        do throws(SystemError) {
            return try body()
        } catch {
            throw .conflict("cannot read the token: \(error)")
        }
    }

    private static func token(_ bytes: [UInt8], _ path: String) throws(APIError) -> [UInt8] {
        let isBlank: (UInt8) -> Bool = { [9, 10, 13, 32].contains($0) }
        let token = Array(bytes.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
        guard (shortestToken...longestToken).contains(token.count), token.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .conflict(
                "\(path) holds no token: \(shortestToken) to \(longestToken) letters without blanks are needed",
                hint: "openssl rand -hex 32 >\(path)")
        }
        return token
    }

    /// Without telling by its duration where two texts of one length differ.
    private static func isEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        guard one.count == other.count else { return false }
        return zip(one, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
