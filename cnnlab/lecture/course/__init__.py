"""The course: chapters in files, their live parts and exercises, what a learner has done, and handouts.

`chapters/README.md` says how a chapter is written.
"""
