import Glibc
import PMDaemon

exit(DaemonProcess.main(Array(CommandLine.arguments.dropFirst())))
