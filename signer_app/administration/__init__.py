"""What an administrator needs for many machines: settings of a whole machine, enrolment files, export, logs' files.

Main process. Knows no screen; nothing here holds a secret longer than it takes to keep it.
"""
