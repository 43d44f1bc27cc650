import PMAPI
import PMModel
import PMSupervisor
import PMSystem
import Testing

@testable import PMDaemon

/// Who services run as, by files of accounts that are given.
@Suite struct UnitAccountTests {
    private static func files(daemon: UInt32 = 0) -> AccountFiles {
        AccountFiles(
            users: AccountFile(
                text: "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:Web:/var/www:/bin/false\nbroken:x\n"
                    + "toor:x:0:0::/:\nminus:x:4294967295:5::/:\nsmall:x:65535:5::/:\nplus:x:+7:5::/:\nzeros:x:00:5::/:\n"
                    + "crowd:x:60:60::/:\n"),
            groups: AccountFile(
                text: "root:x:0:\nwebs:x:34:\nlog:x:50:web,other\nnet:x:51:other\nrot:x:0:\nminus:x:4294967295:web\n"
                    + (1...256).map { "many\($0):x:\(200 + $0):crowd\n" }.joined()),
            daemonUser: daemon,
            daemonGroup: daemon)
    }

    private func account(
        _ user: String?, _ group: String? = nil, daemon: UInt32 = 0
    ) throws(SpawnFailure) -> UnitAccount {
        var mapping = Mapping(container: "x")
        (mapping.user, mapping.group) = (user, group)
        return try UnitAccount(mapping, of: "web#2", files: Self.files(daemon: daemon))
    }

    @Test func `a name has its user, group, further groups and home`() throws {
        let web = try account("web")
        #expect(web.identity == UserIdentity(user: 33, group: 34, groups: [34, 50]))
        #expect(web.variables == ["HOME": "/var/www", "USER": "web", "LOGNAME": "web", "SHELL": "/bin/false"])
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
        ("4294967295", nil, 0, "mapping.web.user: 4294967295 means -1, which is no account; give"),
        ("65535", "web", 0, "mapping.web.user: 65535 means -1"),
        ("web", "4294967295", 0, "mapping.web.group: 4294967295 means -1"),
        ("web", "65535", 0, "mapping.web.group: 65535 means -1"),
        ("-1", nil, 0, "mapping.web.user: -1 begins with a sign"),
        ("+0", nil, 0, "mapping.web.user: +0 begins with a sign"),
        ("00", nil, 0, "mapping.web.user: 00 has a zero in front"),
        ("0x21", nil, 0, "mapping.web.user: 0x21 begins like a number, but is not a number"),
        ("web", "+50", 0, "mapping.web.group: +50 begins with a sign"),
        ("web", "050", 0, "mapping.web.group: 050 has a zero in front"),
        ("4294967296", nil, 0, "mapping.web.user: 4294967296 is larger than any account's number"),
        ("toor", nil, 0, "mapping.web.user: toor: it is root under another name"),
        ("web", "rot", 0, "mapping.web.group: rot: it is root's group under another name"),
        ("minus", nil, 0, "mapping.web.user: minus: no such user"),
        ("small", nil, 0, "mapping.web.user: small: no such user"),
        ("plus", nil, 0, "mapping.web.user: plus: no such user"),
        ("zeros", nil, 0, "mapping.web.user: zeros: no such user"),
        ("web", "minus", 0, "mapping.web.group: minus: no such group"),
        ("crowd", nil, 0, "mapping.web.user: crowd: it is in 257 groups, and pm can give a service 256 at most"),
    ]

    @Test(arguments: refusals)
    func `what cannot be is refused with key, value, cause and next step`(
        request: (user: String?, group: String?, daemon: UInt32, message: String)
    ) {
        let error = #expect(throws: SpawnFailure.self) {
            try account(request.user, request.group, daemon: request.daemon)
        }
        #expect(error?.sentence.hasPrefix(request.message) == true, "\(error?.sentence ?? "")")
    }
}
