import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm update` {
    private typealias Registry = PackageRegistry

    @Test func `replaces the running service, and says from what to what`() async throws {
        let packages = ["1.0.0", "1.5.0", "2.0.0"].map { Registry.service("@my/svc", $0) }
        try await Registry.with(packages) { project, registry in
            try project.configure([:], mapping: ["svc": ["container": "svc", "ready": ["log": "up"]]])
            try project.startDaemon()
            try project.must("install", "@my/svc@1.0.0")
            try project.must("start", "svc", "--wait")
            let first = try project.status("svc")["pid"]
            let list = try project.json("update")
            #expect(list["@my/svc"]?["current"] == "1.0.0" && list["@my/svc"]?["latest"] == "2.0.0", "\(list.text)")
            #expect(try project.must("update").contains("@my/svc"))
            #expect(try project.must("update", "@my/svc", "^1") == "@my/svc from 1.0.0 to 1.5.0\n")
            #expect(try project.status("svc")["pid"] != first)
            #expect(try project.must("log", "svc").contains("up 1.5.0"))
            #expect(try project.must("update", "@my/svc") == "@my/svc stays at 1.5.0\n")
            let answer = try project.json("update", "@my/svc", "2.0.0")
            #expect(answer == ["name": "@my/svc", "from": "1.5.0", "to": "2.0.0", "services": ["svc"]])
            #expect(try project.pm("update", "other").code == 66)
            // Under the same range, too: the configuration does not change then.
            try project.must("install", "@my/svc@^1")
            try registry.offer(packages + [Registry.service("@my/svc", "1.6.0")])
            #expect(try project.must("update", "@my/svc") == "@my/svc from 1.5.0 to 1.6.0\n")
            // A service with another name keeps it.
            try project.must("rename", "svc", "site")
            #expect(try project.must("update", "@my/svc", "1.5.0") == "@my/svc from 1.6.0 to 1.5.0\n")
            #expect(try keys(project.json("ls")) == ["site"] && project.status("site")["ready"] == true)
            try project.must("uninstall", "@my/svc", "--yes")
            let stored = try project.must("events", "--kind", "install", "-n", "all", "-o", "json")
            let events = try stored.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
            let messages = events.filter { $0["details"]?["from"] != nil || $0["details"]?["to"] != nil }
                .compactMap { $0["message"]?.string }
            #expect(
                messages == [
                    "@my/svc was installed: 1.0.0", "@my/svc was updated from 1.0.0 to 1.5.0",
                    "@my/svc was updated from 1.5.0 to 2.0.0", "@my/svc was updated from 2.0.0 to 1.5.0",
                    "@my/svc was updated from 1.5.0 to 1.6.0", "@my/svc was updated from 1.6.0 to 1.5.0",
                    "@my/svc was uninstalled: 1.5.0",
                ], "\(stored)")
        }
    }

    @Test func `keeps the old version when the new one does not become ready`() async throws {
        let packages = [
            Registry.service("svc", "1.0.0"),
            Registry.service("svc", "2.0.0", adding: ["files": ["run.js": "process.exit(3)"]]),
        ]
        try await Registry.with(packages) { project, _ in
            try project.configure(
                [:], mapping: ["svc": ["container": "svc", "ready": ["log": "up"], "restart": "never"]])
            try project.startDaemon()
            try project.must("install", "svc@1.0.0")
            try project.must("start", "svc", "--wait")
            let failed = try project.pm("update", "svc", "2.0.0")
            #expect(failed.code == 70, "\(failed)")
            #expect(failed.errors.contains("svc stays at 1.0.0, because 2.0.0 does not work"), "\(failed)")
            #expect(try project.must("version", "svc") == "svc 1.0.0\n")
            #expect(try project.status("svc")["ready"] == true)
            let configuration = try JSONValue(parsing: try project.read(".pm.config.json"))
            #expect(configuration["setup"]?["packages"] == ["svc@1.0.0"])
        }
    }
}
