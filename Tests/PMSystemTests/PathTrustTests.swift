import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite struct PathTrustTests {
    /// The rules as vectors, which the client in JavaScript runs as well (Tests/Fixtures/trust).
    @Test func `paths are judged as the vectors say`() throws {
        let fixture = try JSONValue(parsing: Files.read(TestPaths.fixture("trust/paths.json"), limit: 1 << 20))
        let vectors = try #require(fixture["vectors"]?.array)
        #expect(vectors.count > 30)
        for vector in vectors {
            let finding = try finding(in: vector)
            #expect(finding?.description == vector["finding"]?.string, "\(vector["what"]?.string ?? "")")
        }
    }

    /// What is found on the file system of a vector.
    private func finding(in vector: JSONValue) throws -> PathTrust.Finding? {
        var entries: [String: PathTrust.Entry?] = [:]
        for (path, entry) in vector["entries"]?.object ?? JSONObject() { entries[path] = try Self.entry(entry) }
        let users = "root:x:0:0::/root:/bin/sh\nada:x:1000:7::/home/ada:/bin/sh\n"
        let text = ["/etc/passwd": vector["passwd"]?.string ?? users, "/etc/group": vector["group"]?.string ?? ""]
        let owners = vector["owners"]?.array?.compactMap { $0.int.flatMap(uid_t.init(exactly:)) } ?? [1000]
        let trust = PathTrust(
            owners: Set(owners), look: { entries[$0] ?? PathTrust.Entry(kind: .directory, owner: 0) },
            read: { text[$0].map { Array($0.utf8) } })
        return trust.finding(on: try #require(vector["path"]?.string))
    }

    /// What lstat(2) would tell; nil for nothing.
    private static func entry(_ value: JSONValue) throws -> PathTrust.Entry? {
        if value.isNull { return nil }
        let kind: PathTrust.Entry.Kind =
            switch value["kind"]?.string {
            case "link": .link(try #require(value["target"]?.string))
            case "socket": .socket
            case "other": .other
            default: .directory
            }
        return PathTrust.Entry(
            kind: kind, owner: uid_t(try #require(value["owner"]?.int)), group: gid_t(value["group"]?.int ?? 0),
            mode: try #require(mode_t(value["mode"]?.string ?? "0755", radix: 8)))
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

    @Test func `users have names in the list that also names the members of groups`() {
        let trust = PathTrust(owners: [], read: { _ in Array("ada:x:1000:7::/home:/bin/sh\nbob:x:1001\n".utf8) })
        #expect(trust.isUser(1000, named: "ada") && trust.isUser(1002, named: "1002"))
        #expect(!trust.isUser(1000, named: "bob") && !trust.isUser(1001, named: "bob"))
        #expect(!trust.isUser(1000, named: "1001"))
    }
}
