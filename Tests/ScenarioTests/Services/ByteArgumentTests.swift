import Glibc
import PMTestSupport
import Testing

@Suite(.serialized) struct `Bytes that are no UTF-8` {
    @Test func `reach a service in arguments and variables as they were, also after a crash of pmd`() async throws {
        try await TestProject.with { project in
            try project.configure(["show": ["path": "show.sh"]])
            try project.script(
                "show.sh",
                """
                tr '\\0' '\\n' </proc/$$/environ | LC_ALL=C grep -a '^OLD=' | od -An -tx1 | tr -d ' '
                printf %s "$1" | od -An -tx1 | tr -d ' '
                exec sleep 1000
                """)
            let start = "OLD=$'caf\\xe9' $0 start pm --wait && $0 start show --wait -- $'caf\\xe9' && $0 status show"
            let outcome = try project.run(["bash", "-c", start, TestPaths.pm])
            #expect(outcome.code == 0, "\(outcome)")
            let bytes = "4f4c443d636166e90a\n636166e9\n"
            try until("it was shown") { try project.pm("log", "show", "--raw").output == bytes }
            let pid = try #require(try project.status("pm")["pid"]?.int)
            kill(pid_t(pid), SIGKILL)
            try until("another pmd serves") { (try? project.status("pm")["pid"]?.int) != pid }  // none serves meanwhile
            try project.must("restart", "show", "--wait")
            try until("it was shown again") { try project.pm("log", "show", "--raw").output == bytes + bytes }
        }
    }

    @Test func `in the path of the working directory are refused, and nothing is done to another project`() async throws
    {
        try await TestProject.with { project in
            try project.startDaemon()
            let script = "mkdir $'d\\xe9' && cd $'d\\xe9' && echo '{}' >.pm.config.json && $0 \"$@\""
            for words in [["start", "pm", "--wait"], ["status"], ["stop"]] {
                let outcome = try project.run(["bash", "-c", "rm -rf $'d\\xe9'; " + script, TestPaths.pm] + words)
                #expect(outcome.code != 0 && outcome.errors.contains("is not UTF-8"), "\(words): \(outcome)")
            }
            #expect(try project.status("pm")["pid"]?.int != nil)
        }
    }
}
