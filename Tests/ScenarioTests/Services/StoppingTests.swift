import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What a daemon does not take on any more.
@Suite(.serialized) struct `A daemon that stops or is replaced` {
    @Test func `that is stopping starts nothing, and takes nothing into the configuration`() async throws {
        try await TestProject.with { project in
            try project.script(
                "slow", "trap 'while [ ! -e go ]; do sleep 0.02; done; exit 0' TERM; while :; do sleep 0.02; done")
            try project.script("web", "touch web.ran; exec sleep 1000")
            try project.configure(
                ["slow": ["path": "./slow"], "web": ["path": "./web", "stateless": true]],
                mapping: ["slow": ["container": "slow", "stop": ["signal": "SIGTERM", "wait": "60s"]]])
            try project.startDaemon()
            try project.must("start", "slow", "--wait")
            let stop = try project.start([TestPaths.pm, "stop"])
            try project.until("slow", "stopping") { $0["state"]?.string == "stopping" }
            let before = try project.read(".pm.config.json")
            for words in [
                ["start", "web"], ["restart", "web"], ["map", "more", "/bin/true"], ["scale", "web", "2"], ["upgrade"],
            ] {
                let refused = try project.run([TestPaths.pm] + words)
                #expect(
                    refused.code == 69 && refused.errors.contains("pm is stopping all services"), "\(words) \(refused)")
            }
            #expect(try project.read(".pm.config.json") == before)
            try project.write("go", "")
            #expect(stop.wait().code == 0)
            #expect(try Files.status(project.directory + "/web.ran") == nil)
        }
    }

    @Test func `that stops several services waits for each, as it does for one`() async throws {
        try await TestProject.with { project in
            try project.script("slow", "trap 'sleep 17; exit 0' TERM; echo up; while :; do sleep 0.02; done")
            let stop: JSONValue = ["signal": "SIGTERM", "wait": "60s"]
            try project.configure(
                ["a": ["path": "./slow"], "b": ["path": "./slow"]],
                mapping: [
                    "a": ["container": "a", "stop": stop, "ready": ["log": "up"]],
                    "b": ["container": "b", "stop": stop, "ready": ["log": "up"]],
                ])
            try project.startDaemon()
            for name in ["a", "b"] { try project.must("start", name, "--wait") }
            #expect(try project.must("stop", "a", "b") == "a stopped\nb stopped\n")
        }
    }

    @Test(arguments: [["stop", "web"], ["stop"]])
    func `that stops a process which somebody has stopped lets it end in order`(words: [String]) async throws {
        try await TestProject.with { project in
            try project.script("web", "trap 'echo bye > said; exit 0' TERM; echo up; while :; do sleep 0.02; done")
            let mapping: JSONValue = [
                "container": "web", "stop": ["signal": "SIGTERM", "wait": "60s"], "ready": ["log": "up"],
            ]
            try project.configure(["web": ["path": "./web"]], mapping: ["web": mapping])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            kill(pid_t(try #require(try project.status("web")["pid"]?.int)), SIGSTOP)
            try project.must(words[0], words.count > 1 ? words[1] : "--all")
            #expect(try project.read("said") == "bye\n")
        }
    }
}
