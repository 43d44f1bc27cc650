import Glibc
import PMModel
public import PMSystem

/// Opens the sockets of `listen`, and keeps them over restarts of services: here, and with pm-init over those of the
/// daemon. They are closed when nothing of their unit is to run any more.
@PMActor
public final class ListenSockets {
    private struct Kept {
        /// Name of the socket in pm-init.
        let name: String
        let socket: ServiceSocket
        /// The file of a unix socket.
        var path: String?
        /// Instances that have it, or will have it again.
        var users: Set<String> = []
    }

    private var kept: [String: Kept] = [:]
    private let holder: Holder
    private var lastNumber = 0
    /// True when the users of an earlier daemon's sockets are known.
    private var isSettled = false
    private static let prefix = "listen-"
    /// pm-init has room for 256 names, and not all are ours.
    private static let most = 240
    /// Told what cannot be closed as it should.
    private let onTrouble: @PMActor (String) -> Void

    init(_ holder: Holder, onTrouble: @escaping @PMActor (String) -> Void = { _ in }) {
        self.onTrouble = onTrouble
        self.holder = holder
    }

    /// Takes a descriptor that pm-init kept for an earlier daemon; others than these sockets are left alone.
    public func restore(_ name: String, _ descriptor: SharedFD) {
        guard name.hasPrefix(Self.prefix), let number = Int(name.dropFirst(Self.prefix.count)) else { return }
        lastNumber = max(lastNumber, number)
        let socket = ServiceSocket(descriptor)
        if let key = socket.key {
            kept[key] = Kept(name: name, socket: socket, path: Self.path(of: key))
        } else {
            drop(name)
        }
    }

    /// Closes what earlier daemons opened for units that are not among these any more.
    func settle(_ instances: [Unit]) {
        for unit in instances {
            for point in unit.sockets { kept[point.key]?.users.insert(unit.name) }
        }
        precondition(!isSettled, "the sockets of an earlier daemon are settled twice")
        isSettled = true
        closeUnused()
    }

    /// The sockets of a unit in their order; missing ones are opened, and those that the unit no longer has are closed.
    ///
    /// - Throws: `SpawnFailure` naming the key, the address, the cause and the next step.
    func open(for unit: Unit, _ identity: UserIdentity?) throws(SpawnFailure) -> [SharedFD] {
        let keys = Set(unit.sockets.map(\.key))
        for key in kept.keys where !keys.contains(key) { kept[key]?.users.remove(unit.name) }
        closeUnused()
        var opened: [SharedFD] = []
        for (index, point) in unit.sockets.enumerated() {
            do throws(SpawnFailure) {
                opened.append(try socket(at: point, for: unit, identity))
            } catch {
                var failure = error
                failure.object = point.text
                failure.key = SpawnFailure.Key(InstanceName.unit(of: unit.name), "listen[\(index)]")
                throw failure
            }
        }
        return opened
    }

    private func socket(
        at point: ListenPoint, for unit: Unit, _ identity: UserIdentity?
    ) throws(SpawnFailure) -> SharedFD {
        if let other = kept[point.key] {
            let base = InstanceName.unit(of: unit.name)
            if let owner = other.users.first(where: { InstanceName.unit(of: $0) != base }) {
                throw SpawnFailure(.launch(.socketTaken), detail: InstanceName.unit(of: owner))
            }
            kept[point.key]?.users.insert(unit.name)
            return other.socket.descriptor
        }
        guard kept.count < Self.most else {
            throw SpawnFailure(.launch(.socketsTooMany), detail: "\(Self.most)")
        }
        do throws(SystemError) {
            let socket = try point.open(identity, sharesPort: sharesPort(of: point, unit))
            lastNumber += 1
            let name = "\(Self.prefix)\(lastNumber)"
            try holder.channel.hold(name, socket.descriptor)
            kept[point.key] = Kept(name: name, socket: socket, path: Self.path(of: point.key), users: [unit.name])
            return socket.descriptor
        } catch {
            throw SpawnFailure(.socket, call: error)
        }
    }

    /// True when an IPv4 socket of the unit, or one that is open, has the port of an IPv6 one: both together serve what the
    /// second alone would.
    private func sharesPort(of point: ListenPoint, _ unit: Unit) -> Bool {
        guard case .internet(_, let port) = point.address else { return false }
        let keys = unit.sockets.map(\.key) + kept.keys
        return keys.contains {
            $0.hasPrefix("\(point.kind.rawValue) ") && !$0.contains("[") && $0.hasSuffix(":\(port)")
        }
    }

    /// The instance runs no more, and will not by itself.
    func release(_ instance: String) {
        for key in kept.keys { kept[key]?.users.remove(instance) }
        closeUnused()
    }

    private func closeUnused() {
        guard isSettled else { return }
        for (key, one) in kept where one.users.isEmpty {
            kept[key] = nil
            drop(one.name)
            // One that stays is replaced at the next start.
            if let path = one.path { try? Files.removeSocket(path) }
        }
    }

    private func drop(_ name: String) {
        do throws(SystemError) {
            try holder.channel.drop(name)
        } catch {
            onTrouble("cannot close \(name): \(error)")
        }
    }

    private static func path(of key: String) -> String? {
        key.firstIndex(of: "/").map { String(key[$0...]) }
    }
}

extension ListenPoint {
    /// The address in the form of `ServiceSocket.key`.
    fileprivate var key: String {
        switch address {
        case .unix(let path): "\(kind.rawValue) \(path)"
        case .internet(let host, let port): "\(kind.rawValue) \(ServiceSocket.text(host, port))"
        }
    }

    fileprivate func open(_ identity: UserIdentity?, sharesPort: Bool) throws(SystemError) -> ServiceSocket {
        let kind: ServiceSocket.Kind =
            switch kind {
            case .stream: .stream(backlog: Int32(clamping: backlog))
            case .datagram: .datagram
            }
        switch address {
        case .unix(let path):
            let owner = ServiceSocket.Owner(user: identity?.user, group: identity?.group, mode: mode)
            return try ServiceSocket.unix(path, kind, owner)
        case .internet(let host, let port):
            return try ServiceSocket.internet(host, port, kind, isOnlyIPv6: sharesPort)
        }
    }
}

extension Unit {
    /// Variables that tell a program which descriptors are its sockets (sd_listen_fds(3)); pm-init completes the last.
    var socketVariables: [String] {
        guard !sockets.isEmpty else { return [] }
        let names = sockets.map { $0.name ?? standardSocketName }
        return ["LISTEN_FDS=\(sockets.count)", "LISTEN_FDNAMES=\(names.joined(separator: ":"))", "LISTEN_PID="]
    }

    /// The unit's name where it can stand in the list, else what systemd says.
    private var standardSocketName: String {
        let base = InstanceName.unit(of: name)
        let isPlain = base.utf8.allSatisfy { (0x21..<0x7f).contains($0) && $0 != UInt8(ascii: ":") }
        return isPlain ? base : "unknown"
    }
}
