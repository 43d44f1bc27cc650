import Glibc
import PMModel
public import PMSystem

/// Makes the folder in which a service finds its NOTIFY_SOCKET, and removes it when the service has ended; what a daemon
/// that was killed could not remove, its successor does.
@PMActor
public final class NotifyFolders {
    private struct Kept {
        let folder: String
        let user: uid_t
    }

    private var places: [NotifyDirectory]
    private let daemonUser: uid_t
    /// By the number of the child.
    private var kept: [UInt64: Kept] = [:]
    /// Those that could not be removed, by the user who filled them.
    private var left: [uid_t: [String]] = [:]
    /// So many folders one user may fill before nothing more of that user's is started that needs one.
    static let mostLeft = 16
    /// Told what cannot be removed.
    private let onTrouble: @PMActor (String) -> Void

    /// Takes the places where folders can be made, the best first.
    init(_ places: [NotifyDirectory], user: uid_t, onTrouble: @escaping @PMActor (String) -> Void = { _ in }) {
        self.onTrouble = onTrouble
        self.places = places
        daemonUser = user
    }

    /// Makes the folder of a child that runs as a user; nil: the daemon's user.
    ///
    /// - Throws: `SpawnFailure` naming the attempts, the causes and the next step.
    func open(for child: UInt64, as user: uid_t?) throws(SpawnFailure) -> NotifySocket {
        let owner = user ?? daemonUser
        try makeRoom(for: owner)
        var causes: [String] = []
        for index in places.indices {
            do throws(NotifyDirectoryProblem) {
                let socket = try places[index].bind(for: child, as: owner == daemonUser ? nil : owner)
                kept[child] = Kept(folder: socket.folder, user: owner)
                return socket
            } catch {
                causes.append(error.description)
            }
        }
        throw SpawnFailure(.launch(.readinessFolder), detail: causes.joined(separator: "; "))
    }

    private func makeRoom(for user: uid_t) throws(SpawnFailure) {
        guard let folders = left[user], folders.count >= Self.mostLeft else { return }
        // Somebody may have emptied them meanwhile.
        let still = folders.filter { (try? NotifySocket.remove($0)) == nil }
        left[user] = still
        guard still.count >= Self.mostLeft else { return }
        throw SpawnFailure(
            .launch(.readinessFolders), "\(user)",
            detail: "\(still.count) folders of NOTIFY_SOCKET, which stay: rm -r \(still[0])")
    }

    /// Goes on with the folder of a child of an earlier daemon, if it has one.
    func adopt(_ child: UInt64, _ descriptor: SharedFD?, as user: uid_t?) {
        guard let descriptor, let folder = NotifySocket.folder(of: descriptor) else { return }
        kept[child] = Kept(folder: folder, user: user ?? daemonUser)
    }

    /// The child has ended, or was not started.
    func remove(_ child: UInt64) {
        guard let one = kept.removeValue(forKey: child) else { return }
        remove(one.folder, of: one.user)
    }

    /// Removes the folders that belong to no child. To be called when all children are known, and when it is certain
    /// that there is no other daemon of this configuration.
    public func settle() {
        // By what a place does not change: it may be reached by another name now.
        let used = Set(kept.values.map { Self.own($0.folder) })
        for folder in places.flatMap({ $0.present }) where !used.contains(Self.own(folder)) {
            // What cannot be looked at can hardly be removed either, which is reported then.
            remove(folder, of: (try? Files.entry(folder)?.owner) ?? daemonUser)
        }
    }

    /// The marker and the number.
    private static func own(_ folder: String) -> String {
        Paths.name(of: Paths.directory(of: folder)) + "/" + Paths.name(of: folder)
    }

    private func remove(_ folder: String, of user: uid_t) {
        do throws(SystemError) {
            try NotifySocket.remove(folder)
        } catch {
            // What was taken from its user before says no more whose it was, and must not be charged to somebody else.
            if user != daemonUser { left[user, default: []].append(folder) }
            onTrouble("the folder of a NOTIFY_SOCKET of user \(user) stays: \(error); remove it")
        }
    }

    /// Nothing is to run any more.
    public func close() {
        for place in places { place.remove() }
    }
}
