import PMModel
import PMSupervisor
import PMSystem
import Testing

@testable import PMDaemon

/// Who services run as, by files of accounts that are given.
@Suite struct UnitAccountTests {
    private static func files(daemon: UInt32 = 0) -> AccountFiles {
        AccountFiles(
            users: AccountFile(text: "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:Web:/var/www:/bin/false\nbroken:x\n"),
            groups: AccountFile(text: "root:x:0:\nwebs:x:34:\nlog:x:50:web,other\nnet:x:51:other\n"),
            daemonUser: daemon,
            daemonGroup: daemon)
    }

    private func account(
        _ user: String?, _ group: String? = nil, daemon: UInt32 = 0
    ) throws(LaunchError) -> UnitAccount {
        var mapping = Mapping(container: "x")
        (mapping.user, mapping.group) = (user, group)
        return try UnitAccount(mapping, of: "web#2", files: Self.files(daemon: daemon))
    }

    @Test func `a name has its user, group, further groups and home`() throws {
        let web = try account("web")
        #expect(web.identity == UserIdentity(user: 33, group: 34, groups: [34, 50]))
        #expect(web.variables == ["HOME": "/var/www", "USER": "web", "LOGNAME": "web"])
        #expect(try account("33").identity == web.identity)
        #expect(try account("web", "net").identity == UserIdentity(user: 33, group: 51, groups: [50, 51]))
    }

    @Test func `a number that no file knows is that number`() throws {
        #expect(try account("4000").identity == UserIdentity(user: 4000, group: 4000, groups: [4000]))
        #expect(try account("4000", "77").identity == UserIdentity(user: 4000, group: 77, groups: [77]))
        #expect(try account("4000").variables.isEmpty)
    }

    @Test func `nobody named, or the daemon's own, changes nothing`() throws {
        #expect(try account(nil).identity == nil)
        #expect(try account("root").identity == nil)
        #expect(try account("33", "33", daemon: 33).identity == nil)
    }

    private static let refusals: [(user: String?, group: String?, daemon: UInt32, message: String)] = [
        ("ghost", nil, 0, "mapping.web.user: ghost: no such user in /etc/passwd; make it (useradd)"),
        ("broken", nil, 0, "mapping.web.user: broken: no such user"),
        ("web", "ghosts", 0, "mapping.web.group: ghosts: no such group in /etc/group"),
        ("web", nil, 1000, "mapping.web.user: web: only root's daemon can run a service as somebody else"),
        (nil, "log", 1000, "mapping.web.group: log: only root's daemon"),
    ]

    @Test(arguments: refusals)
    func `what cannot be is refused with key, value, cause and next step`(
        wish: (user: String?, group: String?, daemon: UInt32, message: String)
    ) {
        let error = #expect(throws: LaunchError.self) {
            try account(wish.user, wish.group, daemon: wish.daemon)
        }
        #expect(error?.description.hasPrefix(wish.message) == true, "\(error?.description ?? "")")
    }
}
