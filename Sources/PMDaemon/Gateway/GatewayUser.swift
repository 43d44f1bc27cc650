import Glibc
import PMAPI
import PMModel
import PMSystem

/// The user of the gateway where the daemon is root: one who may do nothing but connect to the gate.
enum GatewayUser {
    /// The user `pm-gateway` with the user's own groups; nil when this daemon is not root: its gateway runs as the daemon's user.
    ///
    /// - Throws: a 409 when there is no such user.
    static func named() throws(APIError) -> UserIdentity? {
        guard geteuid() == 0 else { return nil }
        let users = AccountFile("/etc/passwd")
        let groups = AccountFile("/etc/group")
        // Members of group pm order what they like: the gateway is none of them, even where an older package made it one.
        let pm = groups.entry("pm").flatMap { $0.count > 2 ? AccountID.number($0[2]) : nil }
        if let entry = users.entry(GatewayController.unit), entry.count > 3, let user = AccountID.number(entry[2]),
            user != 0,
            let own = AccountID.number(entry[3]), own != 0, own != pm
        {
            // Its own groups let it read a key that is for it alone.
            let more = groups.groups(of: GatewayController.unit).filter { $0 != 0 && $0 != pm }
            return UserIdentity(user: user, group: own, groups: Array(more.prefix(31)))
        }
        throw .conflict(
            "there is no user for the gateway: /etc/passwd has no \(GatewayController.unit)",
            hint: "useradd --system --no-create-home --shell /usr/sbin/nologin pm-gateway")
    }

    /// The same, or where there is no such user an id that nobody else has: other processes of `nobody`, for example, could
    /// use the gate as well. nil when this daemon is not root.
    ///
    /// - Parameter configuration: the daemon's configuration file, which decides the id, so that a key can be given to it.
    static func own(of configuration: String) -> UserIdentity? {
        guard geteuid() == 0 else { return nil }
        // Where there is no user, the id is made.
        if let named = try? named() { return named }
        let (users, groups) = (AccountFile("/etc/passwd"), AccountFile("/etc/group"))
        let taken = Set((users.numbers + groups.numbers))
        var id = firstOwn + UInt32(truncatingIfNeeded: Fingerprint(of: configuration).value % UInt64(countOfOwn))
        for _ in 0..<countOfOwn where taken.contains(id) { id = id + 1 < firstOwn + countOfOwn ? id + 1 : firstOwn }
        return UserIdentity(user: id, group: id, groups: [])
    }

    /// The ids that are for users which are made at run time (systemd's UIDS-GIDS.md).
    private static let firstOwn: UInt32 = 61_184
    private static let countOfOwn: UInt32 = 4_336
}
