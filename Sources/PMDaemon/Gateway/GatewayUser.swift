import Glibc
import PMAPI
import PMModel
import PMSystem

/// The user of the gateway where the daemon is root: one who may do nothing but connect to the gate.
enum GatewayUser {
    /// The first of the users who is there, with the user's own groups; nil when this daemon is not root: its gateway runs as
    /// the daemon's user.
    ///
    /// - Throws: a 409 when there is none of the users.
    static func identity(of names: [String]) throws(APIError) -> UserIdentity? {
        guard geteuid() == 0 else { return nil }
        let users = AccountFile("/etc/passwd")
        let groups = AccountFile("/etc/group")
        // Members of group pm order what they like: the gateway is none of them, even where an older package made it one.
        let pm = groups.entry("pm").flatMap { $0.count > 2 ? AccountID.number($0[2]) : nil }
        for name in names {
            guard let entry = users.entry(name), entry.count > 3, let user = AccountID.number(entry[2]), user != 0,
                let own = AccountID.number(entry[3]), own != 0, own != pm
            else { continue }
            // Its own groups let it read a key that is for it alone; nobody's are no one's.
            let more = name == "nobody" ? [] : groups.groups(of: name)
            return UserIdentity(user: user, group: own, groups: Array(more.filter { $0 != 0 && $0 != pm }.prefix(31)))
        }
        throw .conflict(
            "there is no user for the gateway: root's daemon runs it as \(names.joined(separator: " or ")), and /etc/passwd has none",
            hint: "useradd --system --no-create-home --shell /usr/sbin/nologin pm-gateway")
    }
}
