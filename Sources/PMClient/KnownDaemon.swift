import Glibc
public import PMAPI
public import PMConfig
import PMModel
import PMSystem

/// A daemon that has a state directory: one that runs, or one that has ended and left its directory.
public struct KnownDaemon: Equatable, Sendable {
    /// What is known of its process.
    public enum State: Equatable, Sendable {
        /// It answers; with the number of its services.
        case running(Version.Answer, services: Int)
        /// Somebody holds its lock, and nobody answers at its socket.
        case notAnswering
        /// Nobody holds its lock.
        case ended
    }

    /// The owner of the daemon.
    public let scope: DaemonScope
    /// The state directory.
    public let stateDirectory: String
    /// What it left there; nil for a directory of an older version, whose daemon has ended.
    public let record: DaemonRecord?
    /// What is known of its process.
    public let state: State

    /// Makes the values.
    public init(scope: DaemonScope, stateDirectory: String, record: DaemonRecord?, state: State) {
        (self.scope, self.stateDirectory, self.record, self.state) = (scope, stateDirectory, record, state)
    }

    /// The file that pm-init holds a lock on as long as it lives.
    public var lockPath: String { stateDirectory + "/lock" }

    /// True when the configuration that the record names is not there any more. What cannot be looked at counts as there.
    public var isConfigurationGone: Bool {
        guard let record else { return false }
        do throws(SystemError) {
            return try Files.status(record.config) == nil
        } catch {
            return false  // as said
        }
    }
}

extension KnownDaemon {
    /// Time for all daemons together to answer.
    private static let answerTimeout = Duration.seconds(3)

    /// The daemons of this user by their state directories, for root also the system's.
    ///
    /// - Throws: a 404 when the home of the user is not known; a 403 or 500 when the directories cannot be listed.
    public static func all(in context: LocationContext) throws(APIError) -> [KnownDaemon] {
        var asked: [Asked] = []
        for (scope, directory) in try directories(context) {
            let records = DaemonRecord.all(in: directory)
            let isHeld = DaemonLock.isHeld(directory + "/lock")
            if records.isEmpty { asked.append(Asked(scope, directory, nil, isHeld: isHeld)) }
            for record in records { asked.append(Asked(scope, directory, record, isHeld: isHeld)) }
        }
        // All are asked before the first answer is waited for: one that hangs costs its time only once.
        let deadline = Deadline(answerTimeout)
        return asked.map { $0.received(deadline) }
    }

    /// The state directories that exist, with the owners of their daemons.
    private static func directories(
        _ context: LocationContext
    ) throws(APIError) -> [(DaemonScope, String)] {
        do throws(ConfigError) {
            let base = try context.userStateDirectory()
            let isRoot = context.userID == 0
            var found = try folders(in: base).map { (name: String) -> (DaemonScope, String) in
                (name == "user" ? .user : .project, "\(base)/\(name)")
            }
            if isRoot, isDirectory("/var/lib/pm") { found.append((.system, "/var/lib/pm")) }
            if let own = context.environment["PM_STATE_DIR"], !own.isEmpty {
                let directory = Paths.resolve(own, from: context.workingDirectory)
                if isDirectory(directory), !found.contains(where: { $0.1 == directory }) {
                    found.append((.project, directory))
                }
            }
            return found
        } catch {
            throw APIError(error)
        }
    }

    private static func folders(in base: String) throws(ConfigError) -> [String] {
        do throws(SystemError) {
            return try Files.list(base).filter { isDirectory("\(base)/\($0)") }
        } catch {
            if error.code == ENOENT { return [] }
            throw ConfigError(
                error.code == EACCES ? .forbidden : .storage, "cannot list the state directories: \(error)",
                hint: "ls -ld \(base)")
        }
    }

    private static func isDirectory(_ path: String) -> Bool {
        PathTrust.entry(path)?.kind == .directory
    }
}

/// A daemon that was asked who it is, and has not answered yet.
private struct Asked {
    private let scope: DaemonScope
    private let directory: String
    private let record: DaemonRecord?
    private let isHeld: Bool
    private let question: Question?

    private struct Question {
        let client: DaemonClient
        let version: DaemonClient.Ticket
        let status: DaemonClient.Ticket
    }

    init(_ scope: DaemonScope, _ directory: String, _ record: DaemonRecord?, isHeld: Bool) {
        (self.scope, self.directory, self.record, self.isHeld) = (scope, directory, record, isHeld)
        question = isHeld ? record.flatMap { Self.question($0) } : nil
    }

    /// Nil when nobody serves the socket, or somebody who is not trusted: then the daemon does not answer.
    private static func question(_ record: DaemonRecord) -> Question? {
        do throws(ClientError) {
            let client = try DaemonClient.connect(to: SocketAddress(path: record.socket), servedBy: .folderOwner)
            var rows = Status(name: nil)
            // Only their number is needed.
            rows.isForTable = true
            return Question(client: client, version: try client.send(Version()), status: try client.send(rows))
        } catch {
            return nil  // as said
        }
    }

    func received(_ deadline: Deadline) -> KnownDaemon {
        KnownDaemon(scope: scope, stateDirectory: directory, record: record, state: state(deadline))
    }

    private func state(_ deadline: Deadline) -> KnownDaemon.State {
        guard isHeld else { return .ended }
        guard let question, let record else { return .notAnswering }
        do throws(ClientError) {
            let client = question.client
            let answer = try client.answer(
                to: question.version, of: Version.self, within: .milliseconds(Int(deadline.milliseconds)))
            // In a shared directory the lock is that of another configuration's daemon.
            guard answer.config == record.config else { return .ended }
            let rows = try client.answer(
                to: question.status, of: Status.self, within: .milliseconds(Int(deadline.milliseconds)))
            let services = rows.filter { $0.type != "self" && !UnitName.isOfPart($0.name) }
            return .running(answer, services: Set(services.map { InstanceName.unit(of: $0.name) }).count)
        } catch {
            return .notAnswering  // the state says it; pm status says why
        }
    }
}
