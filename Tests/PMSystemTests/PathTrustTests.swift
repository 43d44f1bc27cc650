import Glibc
import PMSystem
import Testing

@Suite struct PathTrustTests {
    /// A file system of a table; what the table does not name is a folder of root.
    private func finding(
        _ path: String, _ entries: [String: PathTrust.Entry], passwd: String = "", group: String = ""
    ) -> PathTrust.Finding? {
        let text = ["/etc/passwd": passwd, "/etc/group": group]
        return PathTrust(
            owners: [1000], look: { entries[$0] ?? PathTrust.Entry(kind: .directory, owner: 0) },
            read: { text[$0].map { Array($0.utf8) } }
        ).finding(on: path)
    }

    private func entry(
        _ kind: PathTrust.Entry.Kind, _ owner: uid_t, _ mode: mode_t = 0o755, group: gid_t = 7
    ) -> PathTrust.Entry {
        PathTrust.Entry(kind: kind, owner: owner, group: group, mode: mode)
    }

    @Test func `root's folders and one's own are trusted, a stranger's anywhere on the way are not`() {
        #expect(
            finding("/srv/app/x", ["/srv/app": entry(.directory, 1000), "/srv/app/x": entry(.other, 1000, 0o644)])
                == nil)
        for path in ["/srv", "/srv/app", "/srv/app/x"] {
            let found = finding("/srv/app/x", [path: entry(.directory, 1001)])
            #expect(found == PathTrust.Finding(path: path, fault: .owner(1001)))
        }
        #expect(finding("/srv", ["/": entry(.directory, 1001)])?.description == "/ belongs to user 1001")
    }

    @Test func `what everybody may write is not trusted, unless it is sticky, a link or a socket`() {
        #expect(finding("/a/b", ["/a": entry(.directory, 0, 0o777)])?.fault == .everybody)
        #expect(finding("/a/b", ["/a/b": entry(.other, 1000, 0o666)])?.fault == .everybody)
        #expect(
            finding("/tmp/b", ["/tmp": entry(.directory, 0, 0o1777), "/tmp/b": entry(.socket, 1000, 0o777)]) == nil)
        #expect(
            finding("/tmp/b", ["/tmp": entry(.directory, 0, 0o1777), "/tmp/b": entry(.socket, 1001)])?.fault
                == .owner(1001))
    }

    @Test func `links are followed one by one, and each is judged`() {
        // A stranger's link to a file of root's.
        let planted = ["/tmp": entry(.directory, 0, 0o1777), "/tmp/x": entry(.link("/etc/pm"), 1001)]
        #expect(finding("/tmp/x/a", planted) == PathTrust.Finding(path: "/tmp/x", fault: .owner(1001)))
        // One's own link through a stranger's folder, by way of "..".
        let through = ["/home/x": entry(.link("../srv/./bob/app"), 1000), "/srv/bob": entry(.directory, 1001)]
        #expect(finding("/home/x/a", through) == PathTrust.Finding(path: "/srv/bob", fault: .owner(1001)))
        #expect(finding("/a/x", ["/a/x": entry(.link("x"), 0)])?.fault == .tooManyLinks)
        #expect(finding("/a/x", ["/a/x": entry(.link("/../../b"), 0, 0o777), "/b": entry(.other, 1001)])?.path == "/b")
    }

    @Test func `a group is trusted when nobody else is in it`() {
        let users = "root:x:0:0::/root:/bin/sh\nada:x:1000:7::/home/ada:/bin/sh\n"
        let open = ["/a": entry(.directory, 1000, 0o775)]
        #expect(finding("/a/b", open, passwd: users, group: "ada:x:7:\n") == nil)
        #expect(finding("/a/b", open, passwd: users, group: "ada:x:7:ada,root\n") == nil)
        #expect(finding("/a/b", open, passwd: users, group: "ada:x:7:bob\n")?.fault == .group(7))
        let bob = users + "bob:x:1001:7::/:/bin/sh\n"
        #expect(finding("/a/b", open, passwd: bob, group: "ada:x:7:\n")?.fault == .group(7))
        #expect(finding("/a/b", open, passwd: users)?.description == "/a can be written by group 7")
        #expect(finding("/a/b", open, passwd: users, group: "pm:x:7:bob\n") == nil)
    }

    @Test func `the real file system is judged`() throws {
        let folder = try AtomicFileFolder()
        try folder.put("x")
        let trust = PathTrust(owners: [geteuid()])
        #expect(trust.finding(on: folder.file) == nil)
        #expect(trust.finding(on: folder.path + "/nothing/here") == nil)
        chmod(folder.file, 0o646)
        #expect(trust.finding(on: folder.file)?.fault == .everybody)
        symlink("data", folder.path + "/link")
        #expect(trust.finding(on: folder.path + "/link")?.path == folder.file)
    }
}
