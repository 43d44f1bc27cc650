import Glibc
import PMAPI
import PMConfig
import PMModel
import PMSystem

/// Rights of local users: root and the daemon's own user everything, members of group `pm` everything but to run things
/// as another user, others nothing (Docs/ThreatModel.md).
///
/// The group counts for the system's daemon and for those that run as root. A user's own daemon serves that user alone:
/// other users could run programs as that user.
struct Access {
    /// Rights of a caller.
    enum Role: Equatable {
        case owner
        case member
        case stranger
    }

    private let owner: uid_t
    /// The group whose members are served, if there is one.
    let group: gid_t?

    /// The rules for a daemon that runs as this process does.
    init(_ scope: DaemonScope) {
        let owner = geteuid()
        self.init(owner: owner, group: scope == .system || owner == 0 ? Self.group(named: "pm") : nil)
    }

    init(owner: uid_t, group: gid_t?) {
        self.owner = owner
        self.group = group
    }

    /// Rights of the caller.
    func role(of peer: PeerCredentials) -> Role {
        if peer.user == 0 || peer.user == owner { return .owner }
        guard let group else { return .stranger }
        if peer.group == group || peer.groups.contains(group) { return .member }
        return .stranger
    }

    /// Why a stranger is turned away.
    func refusal(of peer: PeerCredentials) -> APIError {
        var served = owner == 0 ? "root" : "root and user \(owner)"
        var hint = "use your own daemon: pm start pm --user"
        if group != nil {
            served += owner == 0 ? " and members of group pm" : ", and members of group pm"
            hint += ", or ask to be added to group pm"
        }
        return .notPermitted("user \(peer.user) may not use this daemon: it serves \(served)", hint: hint)
    }

    private static func group(named name: String) -> gid_t? {
        AccountFile("/etc/group").entry(name).flatMap { $0.count > 2 ? AccountID.number($0[2]) : nil }
    }
}
