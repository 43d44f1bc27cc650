import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm install` {
    private typealias Registry = PackageRegistry

    @Test func `takes a package with a scope and its dependencies, and its service starts`() async throws {
        let program: JSONValue = "console.log('up ' + require('left')); setInterval(() => {}, 1000);"
        let needed: JSONObject = ["dependencies": ["left": "^1.0.0"], "files": ["run.js": program]]
        let left: JSONValue = [
            "name": "left", "version": "1.2.0", "main": "lib.js", "files": ["lib.js": "module.exports = 'left';"],
        ]
        let service = Registry.service("@my/svc", "1.0.0", adding: needed)
        try await Registry.with([left, service]) { project, _ in
            try project.startDaemon()
            #expect(try project.must("install", "@my/svc@^1") == "@my/svc 1.0.0 installed: svc\n")
            let configuration = try JSONValue(parsing: try project.read(".pm.config.json"))
            #expect(configuration["setup"]?["packages"] == ["@my/svc@^1"])
            #expect(configuration["containers"]?["svc"]?["path"] == "./node_modules/@my/svc/run.js")
            try project.must("start", "svc")
            try project.until("svc", "up") { $0["state"] == "up" }
            let log = try project.start([TestPaths.pm, "log", "svc", "-f"])
            #expect(log.waitForOutput("up left"))
            log.signal(SIGINT)
            _ = log.wait()
            try project.must("stop", "svc")
            #expect(try project.must("version", "@my/svc") == "@my/svc 1.0.0\n")
            #expect(try project.json("version", "@my/svc") == ["name": "@my/svc", "version": "1.0.0"])
            #expect(try project.pm("version", "other").code == 66)
            #expect(try !project.packageState().contains(".pm-packages"))
        }
    }

    @Test func `works without a daemon, takes several, and tells programs what it did`() async throws {
        try await Registry.with([Registry.service("one", "1.0.0", bin: "a"), Registry.library("two")]) { project, _ in
            let answer = try project.json("install", "one", "two@1.0.0")
            let expected: [JSONValue] = [
                ["name": "one", "version": "1.0.0", "services": ["a"]],
                ["name": "two", "version": "1.0.0", "services": []],
            ]
            #expect(answer == ["packages": .array(expected)])
            #expect(keys(try JSONValue(parsing: try project.read(".pm.config.json"))["containers"]) == ["a"])
        }
    }

    @Test func `changes nothing when it fails`() async throws {
        let packages = [
            Registry.service("good", "1.0.0"), Registry.service("bad", "1.0.0", adding: ["fault": "integrity"]),
            Registry.service("script", "1.0.0", bin: "s", adding: ["scripts": ["install": "exit 3"]]),
            Registry.service("double", "1.0.0"), Registry.service("cut", "1.0.0", adding: ["fault": "cut"]),
        ]
        try await Registry.with(packages) { project, _ in
            try project.must("install", "good")
            let before = try project.packageState()
            let refused = [
                ["bad"]: 1, ["good@7"]: 1, ["nothing"]: 1, ["double"]: 73, ["../good"]: 64, ["-g"]: 64,
                ["script", "--allow-scripts", "script"]: 1,
            ]
            for (words, code) in refused {
                let outcome = try project.run([TestPaths.pm, "install"] + words)
                #expect(outcome.code == Int32(code), "\(words): \(outcome)")
                #expect(try project.packageState() == before, "\(words)")
            }
            let double = try project.pm("install", "double")
            #expect(double.errors.contains("pm: double has a service svc, and so has good\n"), "\(double)")
            // The last one: the registry ends with it.
            let cut = try project.pm("install", "cut")
            #expect(cut.code == 1, "\(cut)")
            #expect(cut.errors.contains("the packages are as before"))
            #expect(try project.packageState() == before)
        }
    }

    @Test func `names a package manager that is not there`() async throws {
        try await Registry.with([Registry.service("good", "1.0.0")]) { project, _ in
            try project.write("package.json", "{\"name\":\"app\",\"packageManager\":\"pnpm@9.0.0\"}")
            try project.write("tools/cp", "#!/bin/sh\nexec /bin/cp \"$@\"\n", executable: true)
            try project.write("tools/rm", "#!/bin/sh\nexec /bin/rm \"$@\"\n", executable: true)
            let outcome = try project.run(
                [TestPaths.pm, "install", "good"], adding: ["PATH": "\(project.directory)/tools"])
            #expect(outcome.code == 66, "\(outcome)")
            #expect(outcome.errors == "pm: pnpm is not in PATH\nhint: install pnpm, or set PATH\n")
        }
    }

    @Test func `leaves the old packages when all is killed in the middle`() async throws {
        let packages = [
            Registry.service("good", "1.0.0"), Registry.service("slow", "1.0.0", bin: "b", adding: ["fault": "hang"]),
        ]
        try await Registry.with(packages) { project, registry in
            try project.must("install", "good")
            let before = try project.packageState()
            let running = try project.start([TestPaths.pm, "install", "slow"])
            try until("npm asks for the package") { registry.wasAsked(for: "slow/-/1.0.0.tgz") }
            let busy = try project.pm("install", "good")
            #expect(busy.code == 73, "\(busy)")
            running.signal(SIGKILL)
            _ = running.wait()
            for pid in project.processes() where project.isNPM(pid) { kill(pid, SIGKILL) }
            try until("npm has ended") { !project.processes().contains { project.isNPM($0) } }
            #expect(try project.packageState().replacing(".pm-packages\n", with: "") == before)
            try registry.offer([Registry.service("good", "1.0.0"), Registry.service("slow", "1.0.0", bin: "b")])
            #expect(try project.must("install", "slow") == "slow 1.0.0 installed: b\n")
            #expect(try !project.packageState().contains(".pm-packages"))
        }
    }

    @Test func `runs no install script as root unless it is allowed`() async throws {
        guard geteuid() == 0 else { return }
        let scripts: JSONObject = ["scripts": ["install": "touch ran"]]
        try await Registry.with([Registry.service("svc", "1.0.0", adding: scripts)]) { project, _ in
            try project.must("install", "svc")
            #expect(try Files.status("\(project.directory)/node_modules/svc/ran") == nil)
            try project.must("install", "svc", "--allow-scripts", "svc")
            #expect(try Files.status("\(project.directory)/node_modules/svc/ran") != nil)
        }
    }

    @Test func `uses the proxy and the token of .npmrc`() async throws {
        try await Registry.with([Registry.service("svc", "1.0.0")]) { project, registry in
            try project.write("registry/token", "secret")
            #expect(try project.pm("install", "svc").code == 1)
            let lines = [
                "registry=http://registry.invalid/", "//registry.invalid/:_authToken=secret",
                "proxy=\(try registry.url)",
            ]
            try project.write(".npmrc", lines.joined(separator: "\n") + "\n" + Registry.settings)
            try project.must("install", "svc")
            #expect(registry.wasAsked(for: "http://registry.invalid/svc"))
        }
    }

    @Test func `takes a tree of 200 packages`() async throws {
        let names = (0..<200).map { "dep\($0)" }
        let needed = JSONObject(names.map { ($0, JSONValue.string("1.0.0")) })
        let service = Registry.service("big", "1.0.0", adding: ["dependencies": .object(needed)])
        try await Registry.with(names.map { Registry.library($0) } + [service]) { project, _ in
            try project.must("install", "big")
            #expect(try Files.list("\(project.directory)/node_modules").filter { $0.hasPrefix("dep") }.count == 200)
        }
    }

    @Test func `keeps the workspaces of a project`() async throws {
        try await Registry.with([Registry.service("svc", "1.0.0")]) { project, _ in
            try project.write("package.json", "{\"name\":\"app\",\"workspaces\":[\"packages/*\"]}")
            try project.write("packages/own/package.json", "{\"name\":\"own\",\"version\":\"1.0.0\"}")
            try project.must("install", "svc")
            #expect(try Files.linkTarget("\(project.directory)/node_modules/own") == "../packages/own")
            let before = try project.packageState()
            #expect(try project.pm("install", "nothing").code == 1)
            #expect(try project.packageState() == before)
        }
    }

    @Test func `is done once by the first daemon on a machine that lacks packages of the configuration`() async throws {
        try await Registry.with([Registry.service("svc", "1.0.0")]) { project, registry in
            let text = """
                {"containers": {}, "mapping": {"svc": {"container": "svc", "autostart": true, "ready": {"log": "up"}}},
                 "setup": {"packages": ["svc@1"]}}
                """
            try project.write(".pm.config.json", text)
            try project.startDaemon()
            // Before the package is there, there is no such service.
            try until("svc is ready") { (try? project.status("svc"))?["ready"] == true }
            try project.must("stop")
            try project.run(["rm", "-rf", "node_modules"])
            try registry.offer([Registry.library("other")])
            try project.startDaemon()
            try project.until("pm", "told of the problem") {
                $0["problems"]?.text.contains("svc@1 could not be") ?? false
            }
            try project.must("stop")
            try project.startDaemon()
            #expect(try project.status("pm")["problems"]?.text.contains("svc@1 could not be installed") == true)
            try registry.offer([Registry.service("svc", "1.0.0")])
            try project.must("install")
            #expect(try project.status("pm")["problems"]?.text.contains("svc@1") != true)
        }
    }
}

extension TestProject {
    fileprivate func isNPM(_ pid: pid_t) -> Bool {
        guard let words = try? Files.read("/proc/\(pid)/cmdline") else { return false }  // it may have ended
        return String(decoding: words, as: UTF8.self).hasPrefix("npm ")
    }
}
