import PMConfig
import PMModel
import PMSupervisor
import PMSystem

extension DaemonOptions {
    /// Places for folders of readiness sockets: the runtime directory, and /tmp if that is impossible or its path is
    /// too long for a socket.
    func notifyPlaces(_ environment: [String: String], user: UInt32) -> [NotifyDirectory] {
        let marker = Fingerprint(of: config).digits
        if user == 0 {
            // Also of a project's daemon: in root's own runtime directory other users could not reach theirs.
            return [
                NotifyDirectory("/run/pm", below: ["notify"], marker: marker, isRoot: true),
                NotifyDirectory("/tmp/pm-notify-0", marker: marker, isRoot: true),
            ]
        }
        let context = LocationContext(environment: environment, workingDirectory: configDirectory, userID: user)
        let folders = [context.runtimeDirectory, "/tmp/pm-\(user)"]
        return (folders[0] == folders[1] ? [folders[0]] : folders).map {
            NotifyDirectory($0, below: ["notify"], marker: marker, isRoot: false)
        }
    }
}
