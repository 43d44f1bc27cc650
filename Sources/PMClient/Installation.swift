import Glibc
import PMAPI
import PMModel
public import PMSystem

/// Paths of pm's other programs: `lib/pm` beside the `bin` that `pm` is in.
public struct Installation: Equatable, Sendable {
    /// The directory that holds pm-init, pmd and node/.
    public let libexec: String

    /// The directory that `PM_LIBEXEC` names, else `../lib/pm` from the running executable.
    ///
    /// - Throws: `SystemError` when /proc/self/exe cannot be read.
    public init(environment: [String: String]) throws(SystemError) {
        if let named = environment["PM_LIBEXEC"], !named.isEmpty {
            libexec = Paths.resolve(named, from: try Files.currentDirectory())
        } else {
            let program = try Files.linkTarget("/proc/self/exe")
            libexec = Paths.resolve("../lib/pm", from: Paths.directory(of: program))
        }
    }

    /// Uses a known directory.
    public init(libexec: String) { self.libexec = libexec }

    /// Path of pm-init, which becomes the parent of the daemon and of services.
    public var holder: String { libexec + "/pm-init" }
    /// Path of the daemon's program.
    public var daemon: String { libexec + "/pmd" }
    /// The program that reads logs.
    public var logReader: String { libexec + "/pm-logs" }
    /// The JavaScript that runs a commandable service.
    public var nodeHost: String { libexec + "/node/host/main.mjs" }
    /// The file that Node loads before any other program, so that it finds pm's client.
    public var nodePreload: String { libexec + "/node/host/preload.cjs" }
}
