import Glibc
import PMAPI
import PMClient
import PMModel
import PMSystem

/// `pm link --watch`: restarts the running services of a local package whenever a source file of it changes.
struct LinkWatch {
    /// The services of the package, and the mappings that run them.
    let names: [String]
    let session: CommandContext

    /// Watches until pm is ended by a signal.
    ///
    /// - Throws: what the kernel refuses; a restart that fails is a note.
    func run(_ folder: String) throws(APIError) -> Never {
        do throws(SystemError) {
            let sources = try SourceWatch(packageOf: folder, inside: folder)
            session.note("watching \(sources.folder); Ctrl-C ends this")
            // Those that a change has broken are not wanted any more, and the next change may have mended them.
            var broken: Set<String> = []
            while true {
                var set = pollfd(fd: sources.raw, events: Int16(POLLIN), revents: 0)
                poll(&set, 1, -1)
                if try sources.hasChanged() { broken = restarted(broken) }
            }
        } catch {
            throw APIError(error, doing: "watch \(folder)")
        }
    }

    /// Restarts what runs and what failed at the change before; the answer is what has failed now.
    private func restarted(_ broken: Set<String>) -> Set<String> {
        do throws(APIError) {
            guard let client = try PackageServices.client(session) else { return broken }
            let active = PackageServices.active(of: names, in: try client.ask(Status(name: nil)))
            var failed: Set<String> = []
            for name in broken.union(active).sorted() where !restart(name, client) { failed.insert(name) }
            return failed
        } catch {
            session.note(error.message)
            return broken
        }
    }

    private func restart(_ name: String, _ client: DaemonClient) -> Bool {
        do throws(APIError) {
            var call = Restart(name: name)
            call.waits = true
            _ = try client.ask(call, within: nil)
            session.note("\(name) restarted: a file has changed")
            return true
        } catch {
            session.note("\(name) does not start with the changed files: \(error.message)")
            return false
        }
    }
}
