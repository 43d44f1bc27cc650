import Glibc
import PMModel

/// Address of the engine: a unix socket of this machine, because containers get folders and sockets of it.
struct EngineLocation: Equatable {
    /// The socket's path.
    let path: String

    /// The variable with the engine's address is invalid.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    private static let usual = "/var/run/docker.sock"

    /// Reads `DOCKER_HOST`; without it the engine of this user is taken, if there is one, else the system's.
    ///
    /// - Throws: `Problem` when the variable names something else than a unix socket.
    init(_ host: String?, runtimeDirectory: String?, isThere: (String) -> Bool) throws(Problem) {
        guard let host, !host.isEmpty else {
            let own = runtimeDirectory.map { $0 + "/docker.sock" }
            path = own.flatMap { isThere($0) ? $0 : nil } ?? Self.usual
            return
        }
        let scheme = "unix://"
        guard host.hasPrefix(scheme + "/") else {
            throw Problem(description: "DOCKER_HOST must be \(scheme)PATH, an engine of this machine, not \(host)")
        }
        path = String(host.dropFirst(scheme.count))
    }

    /// As the environment says.
    ///
    /// - Throws: as above.
    static func current() throws(Problem) -> EngineLocation {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        return try EngineLocation(variable("DOCKER_HOST"), runtimeDirectory: variable("XDG_RUNTIME_DIR")) {
            access($0, F_OK) == 0
        }
    }
}
