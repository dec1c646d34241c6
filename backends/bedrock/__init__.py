"""Amazon Bedrock, through AWS's own SDK: Nova and Claude 3 Haiku are tuned from files in S3.

backend    the contract: files to S3, one customization job for each run, its end, its model
account    whose account, which region, which bucket; the clients, and what their errors mean
families   what may be chosen for Nova and for Claude, and its limits
progress   a job as Bedrock tells it, told in our words
answers    asking a model, tuned or not, through Converse
"""
