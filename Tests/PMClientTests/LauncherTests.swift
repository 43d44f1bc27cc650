import Glibc
import PMAPI
import PMClient
import PMConfig
import PMSystem
import Testing

/// A launcher whose pm-init is a shell script of the test.
private struct ScriptedLauncher {
    let directory: String
    var launcher: DaemonLauncher

    init(_ script: String) throws {
        directory = try makeTemporaryDirectory()
        let path = directory + "/pm-init"
        try Files.replace(path, with: Array("#!/bin/sh\n\(script)\n".utf8))
        chmod(path, 0o755)
        let environment = ["HOME": directory, "PATH": "/usr/bin:/bin", "PM_STATE_DIR": directory + "/state"]
        let context = LocationContext(environment: environment, workingDirectory: directory, userID: geteuid())
        let location = try DaemonLocation.findForStart(.file(directory), in: context)
        launcher = DaemonLauncher(
            location: location, installation: Installation(libexec: directory), environment: environment)
        launcher.startTimeout = .seconds(20)
    }

    func launch(until stage: DaemonLauncher.Stage = .serving) -> APIError? {
        do throws(APIError) {
            let pid = try launcher.launch(until: stage)
            // The script ends by itself; its status is of no interest.
            _ = try? ChildProcess.wait(for: pid)
            return nil
        } catch {
            return error
        }
    }
}

@Suite struct LauncherTests {
    @Test func `the launcher waits until the daemon serves`() throws {
        let scripted = try ScriptedLauncher("echo L >&3; echo S >&3")
        defer { removeTree(scripted.directory) }
        #expect(scripted.launch() == nil)
    }

    @Test func `a loaded configuration is enough where no more is asked`() throws {
        let scripted = try ScriptedLauncher("echo L >&3")
        defer { removeTree(scripted.directory) }
        #expect(scripted.launch(until: .loaded) == nil)
        #expect(
            scripted.launch(until: .serving)?.message == "pm did not start: the daemon ended without an error message")
    }

    @Test func `a daemon that runs already is a conflict`() throws {
        let scripted = try ScriptedLauncher("echo 'E 75 already running' >&3; exit 75")
        defer { removeTree(scripted.directory) }
        let error = scripted.launch()
        #expect(error?.exitCode == .conflict)
        #expect(error?.message == "pm is already running for \(scripted.directory)/.pm.config.json")
    }

    @Test func `the daemon's own words come through, with its exit code`() throws {
        let scripted = try ScriptedLauncher("echo 'E 65 /c.json:3:7: expected a comma' >&3; exit 65")
        defer { removeTree(scripted.directory) }
        let error = scripted.launch()
        #expect(error?.message == "pm did not start: /c.json:3:7: expected a comma")
        #expect(error?.exitCode == .data)
    }

    @Test func `a daemon that dies without a word shows its last output`() throws {
        let scripted = try ScriptedLauncher("echo one; echo two >&2; exit 3")
        defer { removeTree(scripted.directory) }
        #expect(scripted.launch()?.output == ["one", "two"])
    }

    @Test func `a daemon that never serves is too late`() throws {
        var scripted = try ScriptedLauncher("echo $$ > pid; echo L >&3; exec tail -f /dev/null")
        defer { removeTree(scripted.directory) }
        scripted.launcher.startTimeout = .milliseconds(200)
        #expect(scripted.launch()?.exitCode == .timeout)
        let text = String(decoding: try Files.read(scripted.directory + "/pid"), as: UTF8.self)
        let pid = try #require(pid_t(text.filter(\.isNumber)))
        kill(pid, SIGKILL)
        _ = try ChildProcess.wait(for: pid)
    }

    @Test func `without its programs pm says what is missing`() throws {
        let scripted = try ScriptedLauncher("")
        defer { removeTree(scripted.directory) }
        unlink(scripted.directory + "/pm-init")
        let error = scripted.launch()
        #expect(error?.exitCode == .notFound)
        #expect(error?.hint?.contains("PM_LIBEXEC") == true)
    }

    @Test func `pm-init gets its own session, no terminal, and only the descriptors it needs`() throws {
        let script =
            "(ls /proc/self/fd; cat /proc/self/stat | cut -d' ' -f6; echo $$; pwd; echo \"$@\") > out; echo S >&3"
        let scripted = try ScriptedLauncher(script)
        defer { removeTree(scripted.directory) }
        #expect(scripted.launch() == nil)
        let words = String(decoding: try Files.read(scripted.directory + "/out"), as: UTF8.self)
        let lines = words.split(separator: "\n").map(String.init)
        // ls itself holds the directory open, as 4.
        #expect(lines.prefix(5) == ["0", "1", "2", "3", "4"])
        #expect(lines[5] == lines[6], "session id and process id")
        #expect(lines[7] == scripted.directory)
        #expect(lines[8] == scripted.launcher.arguments.joined(separator: " "))
    }

    @Test func `the command line of pm-init says it all`() throws {
        var scripted = try ScriptedLauncher("")
        defer { removeTree(scripted.directory) }
        scripted.launcher.inspection = .inspectBreak
        scripted.launcher.isVerbose = true
        scripted.launcher.environment["PM_CGROUP"] = "/sys/fs/cgroup/pm"
        let directory = scripted.directory
        let location = scripted.launcher.location
        #expect(
            scripted.launcher.arguments == [
                "--lock", "\(directory)/state/lock", "--marker", location.marker, "--status-fd", "3",
                "--cgroup", "/sys/fs/cgroup/pm", "--", "\(directory)/pmd", "--config", "\(directory)/.pm.config.json",
                "--scope", "project", "--state", "\(directory)/state", "--socket", "\(directory)/pm.sock",
                "--libexec", directory, "--inspect-brk", "-v",
            ])
    }
}
