"""Stores on S3-compatible services. boto3 begins and ends in this folder."""

from archive.s3.bucket import S3Store as S3Store
from archive.s3.client import Credentials as Credentials
from archive.s3.raw import Answer as Answer
from archive.s3.raw import RawObjects as RawObjects
